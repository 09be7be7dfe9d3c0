"""One call to send: messages pulled as the wire has room, and exactly one outcome for each."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from newsletter.transports.base import Message, Outcome, State
from newsletter.transports.replies import Reply

MESSAGE_TRIES: Final = 3
"""How often a fresh connection may break under a message at its head."""


class InFlight:
    """One message on its way, kept when it goes again on another connection."""

    __slots__ = ("dot_at", "is_taken", "message", "tries", "verdict")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.tries = 0
        self.forget()

    def forget(self) -> None:
        """Forget the connection it was on."""
        self.verdict: Reply | None = None
        """The refusal that decided it before its body could go."""
        self.is_taken = False
        """Whether the server took the recipient."""
        self.dot_at = 0
        """Where on the wire its final dot ends, 0 while its body has not been given to it."""


class SendQueue:
    """Gives messages out, takes outcomes in."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._source = iter(messages)
        self._again: deque[InFlight] = deque()
        self._ahead: InFlight | None = None
        self._is_exhausted = False
        self.problem: Exception | None = None
        """What the caller's own iterable raised; shown once everything on the wire is settled."""
        self.outcomes: list[Outcome] = []
        self.going: list[int] = []
        """Deliveries whose bodies were put on the wires in this round."""

    def has_more(self) -> bool:
        """Whether there is a message to give out; pulls one where it must."""
        if self._again or self._ahead is not None:
            return True
        if self._is_exhausted:
            return False
        try:
            self._ahead = InFlight(next(self._source))
        except StopIteration:
            self._is_exhausted = True
        except Exception as problem:
            self._is_exhausted = True
            self.problem = problem
        return self._ahead is not None

    def take(self) -> InFlight | None:
        """Give out the next message, those that go again first."""
        if self._again:
            return self._again.popleft()
        if not self.has_more():
            return None
        in_flight, self._ahead = self._ahead, None
        return in_flight

    def settle(self, in_flight: InFlight, state: State, reply: Reply) -> None:
        """Take in what became of a message."""
        self.outcomes.append(
            Outcome(in_flight.message.delivery, state, reply.code, reply.enhanced, reply.words)
        )

    def answer(self, in_flight: InFlight, reply: Reply) -> None:
        """Take in the server's own answer: 2xx sent, 4xx deferred, 5xx failed."""
        state: State = "sent" if reply.code < 300 else "deferred" if reply.code < 500 else "failed"
        self.settle(in_flight, state, reply)

    def again(self, in_flight: InFlight, *, counts: bool, reason: str) -> None:
        """Take back a message that never got past its final dot, to go on another connection.

        It counts as a try where the break may be the message's doing.
        """
        in_flight.forget()
        in_flight.tries += counts
        if in_flight.tries >= MESSAGE_TRIES:
            self.settle(in_flight, "unsent", Reply(0, reason))
        else:
            self._again.append(in_flight)

    def give_up(self, reason: str) -> Iterator[Outcome]:
        """Answer unsent for everything that was pulled and is not decided; pull no more.

        Only one under which connections broke gets the reason: the others did nothing wrong.
        """
        self._is_exhausted = True
        while (in_flight := self.take()) is not None:
            self.settle(in_flight, "unsent", Reply(0, reason if in_flight.tries else ""))
            yield self.outcomes.pop()
