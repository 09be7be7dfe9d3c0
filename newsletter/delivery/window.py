"""A window: some hundred deliveries between the two transactions, and what became of each."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.delivery.claiming import Throttled
from newsletter.delivery.leasing import LeaseInHand
from newsletter.rendering.renderer import Recipient
from newsletter.transports import Outcome


@dataclass
class LeaseInWork:
    """A lease some windows were claimed of in this run."""

    lease: LeaseInHand
    windows: int = 0
    """Claimed and not settled yet."""
    has_moved: bool = False
    """Whether anything of it was claimed in this run."""
    is_done: bool = False
    counted_at: float = field(default_factory=time.monotonic)


@dataclass
class Window:
    """What was claimed at once, and how each of it ends: answered, held back, or never begun."""

    source: LeaseInWork
    recipients: list[Recipient]
    asked_at: float
    """When the gate was asked (time.monotonic)."""
    refused: int = 0
    claim_ms: float = 0.0
    receivers: Mapping[int, int] = field(default_factory=dict)
    """Delivery → whose mail server it is."""
    begun_at: float = 0.0
    throttled: list[Throttled] = field(default_factory=list)
    _pulled: set[int] = field(default_factory=set)
    _unanswered: int = 0
    _outcomes: dict[int, Outcome] = field(default_factory=dict)
    _is_closed: bool = False

    def begin(self, receivers: Mapping[int, int]) -> None:
        """Note whose mail server each delivery is, and that the first may go."""
        self.receivers = receivers
        self.begun_at = time.monotonic()

    def pull(self, delivery: int) -> None:
        """Note that a message was given to the wire, which owes an outcome for it."""
        self._pulled.add(delivery)
        self._unanswered += 1

    def answer(self, outcome: Outcome) -> None:
        """Take the outcome of a message that was pulled."""
        self._outcomes[outcome.delivery] = outcome
        self._unanswered -= 1

    def fail(self, outcome: Outcome) -> None:
        """Take the outcome of a delivery of which no message could be made."""
        self._outcomes[outcome.delivery] = outcome

    def hold_back(self, delivery: int, *, wait: float, reason: str) -> None:
        """Have a delivery that was not pulled wait for so many seconds."""
        self.throttled.append(Throttled(delivery, wait, reason))

    def close(self) -> None:
        """Note that all that was to go was given to the wire, or is not to go any more."""
        self._is_closed = True

    @property
    def is_over(self) -> bool:
        """Tell whether it is closed and every message pulled has its outcome."""
        return self._is_closed and not self._unanswered

    @property
    def pulled(self) -> int:
        """Return how many messages were given to the wire."""
        return len(self._pulled)

    def is_untouched(self, delivery: int) -> bool:
        """Tell whether a delivery was neither pulled nor failed."""
        return delivery not in self._pulled and delivery not in self._outcomes

    def outcomes(self) -> list[Outcome]:
        """Return an outcome for each that is not held back.

        What was never pulled is unsent, what the wire lost is unknown.
        """
        waiting = {throttled.delivery for throttled in self.throttled}
        return [
            self._outcomes.get(recipient.delivery) or self._without_answer(recipient.delivery)
            for recipient in self.recipients
            if recipient.delivery not in waiting
        ]

    def _without_answer(self, delivery: int) -> Outcome:
        if delivery in self._pulled:
            reason = "the connection was lost before the server answered"
            return Outcome(delivery, "unknown", 0, "", reason)
        return Outcome(delivery, "unsent", 0, "", "")
