"""Which sender stands in for which: the chain, who may be tried now, and stopping a sender."""

import logging
import time
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Final

from django.utils.timezone import now

from accountability import audit
from newsletter.models import Sender
from newsletter.transports import Unavailable

log = logging.getLogger(__name__)
LONGEST_CHAIN: Final = 5
LEAVE_ALONE_SECONDS: Final = 9
"""How long a server that could not be used is not tried; its mailings are looked at just after."""

_away: dict[int, float] = {}
"""Senders whose server could not be used a moment ago, until when (time.monotonic)."""


def walk(sender: Sender) -> Iterator[Sender]:
    """Yield a sender, then each that stands in for the one before; ends where one recurs."""
    seen: set[int] = set()
    following: Sender | None = sender
    while following is not None and following.pk not in seen:
        seen.add(following.pk)
        yield following
        following = following.fallback


def chain(sender: Sender) -> list[Sender]:
    """Return a sender and those of its client that stand in for it, in order of preference."""
    own = takewhile(lambda route: route.client_id == sender.client_id, walk(sender))
    return list(islice(own, LONGEST_CHAIN))


def routes(sender: Sender) -> list[Sender]:
    """Return those of a sender's chain that are not stopped, without those away for now."""
    usable = [route for route in chain(sender) if route.stopped_at is None]
    moment = time.monotonic()
    return [route for route in usable if _away.get(route.pk, 0.0) <= moment] or usable


def leave_alone(route: Sender, trouble: Unavailable) -> None:
    """Leave a server alone for a while, or stop its sender until a person has looked.

    What was answered to settings a person has looked at since then stops nothing.
    """
    _away[route.pk] = time.monotonic() + LEAVE_ALONE_SECONDS
    if trouble.configuration:
        as_it_was = Sender.objects.filter(pk=route.pk, stopped_at=None, updated_at=route.updated_at)
        if as_it_was.update(stopped_at=now(), stopped_reason=trouble.words[:500]):
            audit.record(act="stop sender", subject=route, client=route.client_id)
    log.warning("sender %s cannot be used: %s", route.pk, trouble.words)


def why_none(sender: Sender) -> str:
    """Return why no server of a sender's chain can be tried."""
    reasons = [route.stopped_reason for route in chain(sender) if route.stopped_reason]
    return reasons[0] if reasons else "it could not be reached a moment ago"


def is_stopped(sender: Sender) -> bool:
    """Tell whether a sender and all that stand in for it wait for a person."""
    return all(route.stopped_at for route in chain(sender))


def forget() -> None:
    """Try every server again at once."""
    _away.clear()
