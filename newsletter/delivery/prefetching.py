"""The thread of a run that talks to the database while the wire is busy."""

import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import structlog
from django.db import connection

from newsletter import pace
from newsletter.delivery import leasing
from newsletter.delivery.claiming import Later, Ready, hand_over, settle
from newsletter.delivery.leasing import LeaseInHand
from newsletter.mailings import lifecycle
from newsletter.models import Sender
from newsletter.pace import breakers
from newsletter.transports import Outcome
from registrants import gate

log = structlog.get_logger(__name__)
COUNT_EACH = 1.0
"""Seconds between two counts of a range in work, for whoever watches."""


@dataclass
class Range:
    """A lease in work."""

    held: LeaseInHand
    windows: int = 0
    """Handed over and not settled yet."""
    has_moved: bool = False
    """Whether anything of it was handed over in this run."""
    is_done: bool = False
    counted_at: float = field(default_factory=time.monotonic)


@dataclass
class Window:
    """Some hundred deliveries between the two transactions, and what became of them."""

    range: Range
    ready: list[Ready]
    asked_at: float
    """When the gate was asked (time.monotonic)."""
    refused: int = 0
    hand_over_ms: float = 0.0
    pulled: set[int] = field(default_factory=set)
    waiting: int = 0
    """Of those pulled, how many have no outcome yet."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    later: list[Later] = field(default_factory=list)
    receivers: dict[int, int] = field(default_factory=dict)
    begun_at: float = 0.0
    is_given_out: bool = False
    """Whether everything that was to go was given to the wire, or is not to go any more."""

    @property
    def is_over(self) -> bool:
        """Whether every delivery given out has its outcome."""
        return self.is_given_out and not self.waiting

    def all_outcomes(self) -> list[Outcome]:
        """Return one outcome each: what never went is unsent, what the wire lost is unknown."""
        waiting = {postponed.delivery for postponed in self.later}
        return [
            self.outcomes.get(ready.delivery) or _without_answer(ready.delivery, self.pulled)
            for ready in self.ready
            if ready.delivery not in waiting
        ]


def _without_answer(delivery: int, pulled: set[int]) -> Outcome:
    if delivery in pulled:
        reason = "the connection was lost before the server answered"
        return Outcome(delivery, "unknown", 0, "", reason)
    return Outcome(delivery, "unsent", 0, "", "")


class _AtOnce(Executor):
    """Runs what it is given in the caller's own thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as problem:
            future.set_exception(problem)
        return future


class WindowFeed:
    """Hands the next window over and settles the last one, in the order it is asked to.

    Whatever fails here is raised to whoever asks next; leases and notes then stay as they are, and
    newsletter.delivery.recovering puts them right.
    """

    question: gate.Question
    """What the gate is asked; to be said after `begin`."""

    def __init__(
        self, *, lane: str, mailing: int | None, attempt: int, at_once: bool = False
    ) -> None:
        """Serve one mailing; or, at once and in the caller's thread, a single letter."""
        self._lane, self._mailing, self._attempt = lane, mailing, attempt
        self._is_single = at_once
        self._thread: Executor = (
            _AtOnce() if at_once else ThreadPoolExecutor(1, thread_name_prefix="ledger")
        )
        self._ranges: list[Range] = []
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
        """Take the first range; None where none is due."""
        first = self._thread.submit(self._take).result()
        return first.held if first is not None else None

    def ask(self, size: int) -> "Future[Window | None]":
        """Hand the next window over; None where nothing more is due, or nothing may go."""
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

    def _take(self) -> Range | None:
        lease = leasing.take(self._lane, self._mailing, self._attempt)
        if lease is None:
            return None
        self._ranges.append(Range(lease))
        return self._ranges[-1]

    def _next(self, size: int) -> Window | None:
        while True:
            current = next(
                (open_range for open_range in self._ranges if not open_range.is_done), None
            )
            is_fresh = current is None or not current.has_moved
            if current is None and not self._is_single:
                current = self._take()
            if current is None:
                return None
            asked_at = time.monotonic()
            ready, taken = hand_over(lease=current.held, question=self.question, window=size)
            current.is_done = taken < size
            if taken:
                current.windows += 1
                current.has_moved = True
                spent = (time.monotonic() - asked_at) * 1000
                return Window(current, ready, asked_at, taken - len(ready), spent)
            self._give_back_if_done(current)
            if is_fresh:  # due, and yet nothing may go: the mailing is paused, or the lease lost
                return None

    def _settle(self, window: Window, route: Sender) -> None:
        began = time.monotonic()
        outcomes = window.all_outcomes()
        lease = window.range.held
        settle(lease=lease, outcomes=outcomes, later=window.later, receivers=window.receivers)
        settled = time.monotonic()
        self._follow(outcomes, window, route)
        window.range.windows -= 1
        self._give_back_if_done(window.range)
        if window.range in self._ranges and settled - window.range.counted_at > COUNT_EACH:
            leasing.count(lease)
            window.range.counted_at = settled
        _tell(window, outcomes, route, (began - window.begun_at) * 1000, (settled - began) * 1000)

    def _follow(self, outcomes: Sequence[Outcome], window: Window, route: Sender) -> None:
        """Tell pace and breakers what the servers said; stop the mailing where it is too much.

        Before the range is given back: who sees that nothing is in work sees the stop too.
        """
        pace.record(
            route, [(window.receivers.get(outcome.delivery, 0), outcome) for outcome in outcomes]
        )
        if self._mailing is not None:
            answered = [outcome for outcome in outcomes if outcome.state != "unsent"]
            why = breakers.record(route.pk, self._mailing, answered)
            if why:
                lifecycle.stop(mailing=self._mailing, reason=why)

    def _give_back_if_done(self, open_range: Range) -> None:
        if open_range.is_done and not open_range.windows:
            self._ranges.remove(open_range)
            leasing.give_back(open_range.held)

    def _give_all_back(self) -> None:
        for open_range in self._ranges:
            leasing.give_back(open_range.held)
        self._ranges.clear()


def _leave_database() -> None:
    """Close this thread's connection (`connection` names another one in each thread)."""
    connection.close()


def _tell(
    window: Window, outcomes: Sequence[Outcome], route: Sender, wire_ms: float, settle_ms: float
) -> None:
    """Log one line for a window: ids, counts and milliseconds, nothing of a person."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.state] = counts.get(outcome.state, 0) + 1
    lease = window.range.held
    log.info(
        "window settled",
        mailing=lease.mailing,
        sender=route.pk,
        lease=lease.id,
        attempt=lease.attempt,
        refused=window.refused,
        held=len(window.later),
        hand_over_ms=round(window.hand_over_ms, 1),
        wire_ms=round(wire_ms, 1),
        settle_ms=round(settle_ms, 1),
        **counts,
    )
