"""The thread of a run that talks to the database while the wire is busy."""

import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import structlog
from django.db import connection

from newsletter import pace
from newsletter.delivery import leasing
from newsletter.delivery.claiming import claim, settle
from newsletter.delivery.leasing import LeaseInHand
from newsletter.delivery.window import LeaseInWork, Window
from newsletter.mailings import lifecycle
from newsletter.models import Sender
from newsletter.pace import breakers
from newsletter.transports import Outcome
from registrants import gate

log = structlog.get_logger(__name__)
COUNT_EVERY_SECONDS = 1.0
"""Between two counts of a lease in work, for whoever watches."""


class _AtOnce(Executor):
    """Runs what it is given in the caller's own thread."""

    def submit(self, fn: Any, /, *args: object, **kwargs: object) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as problem:
            future.set_exception(problem)
        return future


class WindowFeed:
    """Claims the next window and settles the last one, in the order it is asked to.

    Whatever fails here is raised to whoever asks next; leases and journal then stay as they are,
    and newsletter.delivery.recovering puts them right.
    """

    question: gate.Question
    """What the gate is asked; to be set after `begin`."""

    def __init__(
        self, *, lane: str, mailing: int | None, attempt: int, at_once: LeaseInHand | None = None
    ) -> None:
        """Serve one mailing; or, at once and in the caller's thread, a letter that is in hand."""
        self._lane, self._mailing, self._attempt = lane, mailing, attempt
        self._is_single = at_once is not None
        self._thread: Executor = (
            _AtOnce() if at_once else ThreadPoolExecutor(1, thread_name_prefix="window-feed")
        )
        self._leases = [LeaseInWork(at_once)] if at_once else []
        self._settling: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._raise_what_failed(wait=True)
                self._thread.submit(self._give_all_back).result()
        finally:
            if not self._is_single:
                self._thread.submit(_leave_database)
            self._thread.shutdown()

    def begin(self) -> LeaseInHand | None:
        """Take the first lease; None where none is due."""
        first = self._thread.submit(self._take).result()
        return first.lease if first is not None else None

    def request(self, size: int) -> "Future[Window | None]":
        """Have the next window claimed; None where nothing more is due, or nothing may go."""
        self._raise_what_failed(wait=False)
        return self._thread.submit(self._next, size)

    def settle(self, window: Window, route: Sender) -> None:
        """Settle a window that is over, some time soon."""
        self._settling.append(self._thread.submit(self._settle, window, route))

    def _raise_what_failed(self, *, wait: bool) -> None:
        done = [future for future in self._settling if wait or future.done()]
        for future in done:
            future.result()
        self._settling = [future for future in self._settling if future not in done]

    def _take(self) -> LeaseInWork | None:
        lease = leasing.take(self._lane, self._mailing, self._attempt)
        if lease is None:
            return None
        self._leases.append(LeaseInWork(lease))
        return self._leases[-1]

    def _next(self, size: int) -> Window | None:
        while True:
            current = next((lease for lease in self._leases if not lease.is_done), None)
            is_fresh = current is None or not current.has_moved
            if current is None and not self._is_single:
                current = self._take()
            if current is None:
                return None
            asked_at = time.monotonic()
            recipients, taken = claim(lease=current.lease, question=self.question, window=size)
            current.is_done = taken < size
            if taken:
                current.windows += 1
                current.has_moved = True
                return Window(
                    source=current,
                    recipients=recipients,
                    asked_at=asked_at,
                    refused=taken - len(recipients),
                    claim_ms=(time.monotonic() - asked_at) * 1000,
                )
            self._give_back_if_done(current)
            if is_fresh:  # due, and yet nothing may go: the mailing is paused, or the lease lost
                return None

    def _settle(self, window: Window, route: Sender) -> None:
        began = time.monotonic()
        outcomes = window.outcomes()
        source = window.source
        settle(
            lease=source.lease,
            outcomes=outcomes,
            throttled=window.throttled,
            receivers=window.receivers,
        )
        settled = time.monotonic()
        self._follow(outcomes, window, route)
        source.windows -= 1
        self._give_back_if_done(source)
        if source in self._leases and settled - source.counted_at > COUNT_EVERY_SECONDS:
            leasing.count(source.lease)
            source.counted_at = settled
        _log_window(
            window, outcomes, route, (began - window.begun_at) * 1000, (settled - began) * 1000
        )

    def _follow(self, outcomes: Sequence[Outcome], window: Window, route: Sender) -> None:
        """Tell pace and breakers what the servers said; stop the mailing where it is too much.

        Before the lease is given back: who sees that nothing is in work sees the stop too.
        """
        pace.record(
            route, [(window.receivers.get(outcome.delivery, 0), outcome) for outcome in outcomes]
        )
        if self._mailing is not None:
            answered = [outcome for outcome in outcomes if outcome.state != "unsent"]
            why = breakers.record(route.pk, self._mailing, answered)
            if why:
                lifecycle.stop(mailing=self._mailing, reason=why)

    def _give_back_if_done(self, source: LeaseInWork) -> None:
        if source.is_done and not source.windows:
            self._leases.remove(source)
            leasing.give_back(source.lease)

    def _give_all_back(self) -> None:
        for source in self._leases:
            leasing.give_back(source.lease)
        self._leases.clear()


def _leave_database() -> None:
    """Close this thread's connection (`connection` names another one in each thread)."""
    connection.close()


def _log_window(
    window: Window, outcomes: Sequence[Outcome], route: Sender, wire_ms: float, settle_ms: float
) -> None:
    """Log one line for a window: ids, counts and milliseconds, nothing of a person."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.state] = counts.get(outcome.state, 0) + 1
    lease = window.source.lease
    log.info(
        "window settled",
        mailing=lease.mailing,
        sender=route.pk,
        lease=lease.id,
        attempt=lease.attempt,
        refused=window.refused,
        held=len(window.throttled),
        hand_over_ms=round(window.claim_ms, 1),
        wire_ms=round(wire_ms, 1),
        settle_ms=round(settle_ms, 1),
        **counts,
    )
