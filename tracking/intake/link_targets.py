"""Where links lead: a map in each process, filled from the database one mailing at a time."""

import threading
import time

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from newsletter.content import web_addresses
from newsletter.mailings import delivery_sql

LINKS_KEPT, UNKNOWN_LINKS_KEPT = 200_000, 10_000
UNKNOWN_SECONDS, AWAY_SECONDS, WAIT_SECONDS = 10.0, 1.0, 1.0


class TargetsUnavailable(Exception):
    """The database is away and the link is not in the map yet."""


class Targets:
    """Links by id; what is unknown is remembered for some seconds only."""

    def __init__(self, *, kept: int = LINKS_KEPT) -> None:
        self._kept = kept
        self._known: dict[int, str | None] = {}
        self._unknown: dict[int, float] = {}
        self._asking = threading.Lock()
        self._away_until = 0.0

    def target(self, link: int) -> str | None:
        """Return where a link leads, None where it leads nowhere; raises TargetsUnavailable."""
        try:
            return self._known[link]
        except KeyError:
            pass
        if self._unknown.get(link, 0.0) > time.monotonic():
            return None
        return self._ask(link)

    def _ask(self, link: int) -> str | None:
        """Load a mailing's links; one thread asks, the others wait a second at most."""
        if time.monotonic() < self._away_until or not self._asking.acquire(timeout=WAIT_SECONDS):
            raise TargetsUnavailable
        try:
            if link not in self._known:
                self._load(link)
        finally:
            self._asking.release()
        return self._known.get(link)

    def _load(self, link: int) -> None:
        try:
            rows = _read(link)
        except (DatabaseError, InterfaceError) as away:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise TargetsUnavailable from away
        if not rows:
            self._forget(self._unknown, UNKNOWN_LINKS_KEPT, 1)
            self._unknown[link] = time.monotonic() + UNKNOWN_SECONDS
        self._forget(self._known, self._kept, len(rows))
        self._known.update((pk, web_addresses.asked_for(url)) for pk, url in rows)

    @staticmethod
    def _forget(
        some: dict[int, object] | dict[int, str | None] | dict[int, float], kept: int, more: int
    ) -> None:
        """Make room by leaving out what came in first."""
        for oldest in list(some)[: max(0, len(some) + more - kept)]:
            some.pop(oldest, None)

    def clear(self) -> None:
        """Forget every link."""
        self._known.clear()
        self._unknown.clear()
        self._away_until = 0.0


def _read(link: int) -> list[tuple[int, str]]:
    """Read outside of any request of Django's, so the connection is looked after here."""
    if not connection.in_atomic_block:
        close_old_connections()
    return delivery_sql.links_beside(link)


MAP = Targets()
