"""One run over the wire of a sender: the next window is claimed while one is sent."""

import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

import structlog

from newsletter import links, pace
from newsletter.delivery import beside
from newsletter.delivery.claiming import LARGEST_WINDOW
from newsletter.delivery.journal import Journal
from newsletter.delivery.prefetching import WindowFeed
from newsletter.delivery.window import Window
from newsletter.models import Receiver, Sender
from newsletter.receivers import lookup
from newsletter.rendering import mime
from newsletter.rendering.renderer import Recipient, Renderer, Unrenderable
from newsletter.senders import routing
from newsletter.transports import Message, Outcome, Transport, Unavailable

log = structlog.get_logger(__name__)
STALE_AFTER = 1.2
"""Seconds after the gate was asked when what is not yet begun goes back: no mail leaves on an
answer of the gate older than two seconds (docs/architecture.md, "The gate")."""
WINDOW_SECONDS = 0.4
"""A window is what the wire takes in this time; two of them wait at once."""
NOBODY = 10
"""So many first mails that cannot be made for a reason that is nobody's own stop a run."""
SLOW_LANE_WAIT = 30.0
"""Seconds until a receiver with few connections is tried again where they broke."""

_pace: dict[int, float] = {}
"""Messages a second each sender managed lately, in this process."""


@dataclass(frozen=True)
class RunContent:
    """What is sent in a run: how it is rendered, and of which kind it is for its pace."""

    kind: pace.Kind
    renderer: Renderer
    extra: dict[str, str] | None = None
    """What a letter says to its one reader."""


class Run:
    """One unbroken use of the wire of one sender, as many windows as there is time for."""

    def __init__(
        self,
        *,
        content: RunContent,
        route: Sender,
        feed: WindowFeed,
        journal: Journal,
        deadline: float,
    ) -> None:
        self._content, self._route = content, route
        self._feed, self._journal, self._deadline = feed, journal, deadline
        self._verp = links.verp_maker(route.envelope_domain)
        self._open: dict[int, Window] = {}
        """Delivery on the wire → its window."""
        self._live: list[Window] = []
        """Windows claimed and not given back to be settled."""
        self._coming: Future[Window | None] | None = None
        self._last_over = time.monotonic()
        self._enough: set[int] = set()
        """Receivers that asked for less in this run: the rest of theirs is not begun."""
        self._unforeseen = 0
        self.answered = 0

    def go(self) -> Unavailable | None:
        """Send until nothing is due or time is up; return what the server cannot be used for."""
        trouble = None
        try:
            wire = routing.wire(self._route)
        except ValueError as unfit:  # the sender's own settings
            return Unavailable(str(unfit), configuration=True)
        try:
            self._send(wire, self._messages())
        except Unavailable as away:
            trouble = away
        self._end()
        return trouble

    def _send(self, wire: Transport, messages: Iterator[Message]) -> None:
        """Send and take the outcomes; where that fails, what is still on the wire is cut off."""
        outcomes = wire.send(messages, note=self._journal)
        try:
            for outcome in outcomes:
                self._take(outcome)
        finally:
            if isinstance(outcomes, Generator):
                outcomes.close()

    @property
    def _is_late(self) -> bool:
        return time.monotonic() >= self._deadline

    @property
    def _rests(self) -> bool:
        """Tell whether the sender is at its limit: what is not claimed need not be held."""
        return self._content.kind == "campaign" and pace.rest(self._route) > 0

    def _size(self) -> int:
        """Return how many to claim at once: what the wire took in 0.4 s lately, 2 to 500."""
        pace_now = min(_pace.get(self._route.pk, 125.0), 2 * pace.most(self._route))
        return max(2, min(LARGEST_WINDOW, int(pace_now * WINDOW_SECONDS)))

    def _messages(self) -> Iterator[Message]:
        """Give out message by message; the feed is a window ahead."""
        if not self._is_late:
            self._coming = self._feed.request(self._size())
        while (window := self._next()) is not None:
            yield from self._made(window, self._sort(window))
            window.close()
            if window.is_over:
                self._settle(window)

    def _next(self) -> Window | None:
        coming, self._coming = self._coming, None
        window = coming.result() if coming is not None else None
        if window is not None:
            self._live.append(window)
            if not self._is_late and not self._rests:
                self._coming = self._feed.request(self._size())
        return window

    def _sort(self, window: Window) -> Iterable[Recipient]:
        """Ask the pace: set those aside who must wait; send those of a narrow way first."""
        of = lookup.receiver_of
        whose = {recipient.delivery: of(recipient.address) for recipient in window.recipients}
        counts = Counter(whose.values())
        admitted = pace.admit(self._route, counts, kind=self._content.kind)
        window.begin(whose)
        if all(
            admission.connections is None and admission.go >= counts[receiver]
            for receiver, admission in admitted.items()
        ):
            return window.recipients
        going: list[Recipient] = []
        narrow: dict[int, list[Recipient]] = {}
        seen: Counter[int] = Counter()
        for recipient in window.recipients:
            receiver = whose[recipient.delivery]
            admission = admitted[receiver]
            over = seen[receiver] - admission.go
            seen[receiver] += 1
            if over >= 0:
                wait = admission.wait + over * admission.spread
                window.hold_back(recipient.delivery, wait=wait, reason=admission.words)
            elif admission.connections is None:
                going.append(recipient)
            else:
                narrow.setdefault(receiver, []).append(recipient)
        for receiver, group in narrow.items():
            self._go_narrow(window, group, receiver, admitted[receiver].connections or 1)
        return going

    def _go_narrow(
        self, window: Window, group: list[Recipient], receiver: int, connections: int
    ) -> None:
        """Send to one receiver over few connections of its own."""
        try:
            wire = routing.wire(self._route, receiver=receiver, connections=connections)
            self._send(wire, self._made(window, group))
        except Unavailable as away:
            reason = f"held back: {away.words}"
            for recipient in group:
                if window.is_untouched(recipient.delivery):
                    window.hold_back(recipient.delivery, wait=SLOW_LANE_WAIT, reason=reason)

    def _made(self, window: Window, group: Iterable[Recipient]) -> Iterator[Message]:
        """Render each person's mail as the wire has room; stop where the gate's word is old."""
        date = mime.now()
        render, verp, extra = self._content.renderer.render, self._verp, self._content.extra
        stale_at = window.asked_at + STALE_AFTER
        pull, opened, clock = window.pull, self._open, time.monotonic
        name = self._content.renderer.compiled.headers["from_name"]
        for recipient in group:
            if clock() > stale_at:
                return
            delivery = recipient.delivery
            if self._enough and window.receivers[delivery] in self._enough:
                self._hold_back(window, delivery)
                continue
            try:
                data = render(replace(recipient, extra=extra) if extra else recipient, date=date)
            except Exception as fault:  # one person's data must not stop the others
                if self._is_everybodys(fault):
                    raise
                window.fail(_unrenderable(delivery, fault))
                continue
            pull(delivery)
            opened[delivery] = window
            yield Message(delivery, verp(delivery), recipient.address, data, True, stale_at, name)

    def _is_everybodys(self, fault: Exception) -> bool:
        """Tell whether no mail can be made at all, for a reason that is no person's."""
        if isinstance(fault, Unrenderable):
            return False
        self._unforeseen += 1
        if self.answered or any(window.pulled for window in self._live):
            return False
        return self._content.kind == "letter" or self._unforeseen >= NOBODY

    def _hold_back(self, window: Window, delivery: int) -> None:
        """Have one wait like those the pace holds back, some a little longer than others."""
        receiver = Receiver(window.receivers[delivery])
        reason = f"held back: {receiver.label} asked us to slow down"
        window.hold_back(delivery, wait=pace.STOP + delivery % 60, reason=reason)

    def _take(self, outcome: Outcome) -> None:
        window = self._open.pop(outcome.delivery)
        window.answer(outcome)
        if outcome.state != "unsent":
            self.answered += 1
        if outcome.state != "sent":
            receiver = window.receivers[outcome.delivery]
            if pace.asks_to_slow_down(receiver, outcome):
                self._enough.add(receiver)
        if window.is_over:
            self._settle(window)

    def _settle(self, window: Window) -> None:
        now = time.monotonic()
        spent = now - max(window.begun_at, self._last_over)
        beside.pulse(self._route.client_id)
        _note_pace(self._route.pk, window.pulled, spent)
        self._last_over = now
        self._live.remove(window)
        self._feed.settle(window, self._route)

    def _end(self) -> None:
        """Settle whatever is left, also the window that was handed over and never begun."""
        coming = self._coming.result() if self._coming is not None else None
        for window in [*self._live, *([coming] if coming is not None else [])]:
            window.begun_at = window.begun_at or time.monotonic()
            self._feed.settle(window, self._route)
        self._live.clear()


def _unrenderable(delivery: int, fault: Exception) -> Outcome:
    why = str(fault) if isinstance(fault, Unrenderable) else type(fault).__name__
    log.error("cannot be rendered", delivery=delivery, why=why)
    return Outcome(delivery, "failed", 0, "", f"could not be rendered: {why}")


def _note_pace(sender: int, count: int, seconds: float) -> None:
    if count:
        _pace[sender] = 0.5 * _pace.get(sender, 125.0) + 0.5 * count / max(seconds, 0.001)
