"""Messages waiting for their call: pulled as there is room, in calls as large as is allowed."""

import time
from collections import deque
from collections.abc import Iterable, Iterator

from newsletter.transports.base import Message, Outcome


class CallQueue:
    """Gives out messages call by call; forgets none it has pulled."""

    def __init__(self, messages: Iterable[Message], *, most: int, octets: int) -> None:
        self._source = iter(messages)
        self.most = most
        """Messages in one call."""
        self._octets = octets
        self._waiting: deque[list[Message]] = deque()
        self._ahead: Message | None = None
        self._is_exhausted = False
        self.problem: Exception | None = None
        """What the caller's own iterable raised; shown once everything pulled has its outcome."""

    def take(self, moment: float | None = None) -> list[Message]:
        """Return the messages of the next call, none where there are no more.

        A call holds messages of one hand-over only: those that must be begun by the same moment.
        With a moment there are none either where what comes next has another.
        """
        if self._waiting:
            return self._waiting.popleft()
        messages: list[Message] = []
        octets = 0
        while len(messages) < self.most:
            message = self._pull()
            if message is None:
                break
            octets += len(message.data)
            if moment is None:
                moment = message.begin_by
            if message.begin_by != moment or (messages and octets > self._octets):
                self._ahead = message
                break
            messages.append(message)
        return messages

    def put_back(self, messages: list[Message]) -> None:
        """Take back a call that is to be made before any other."""
        self._waiting.appendleft(messages)

    def give_up(self) -> list[Outcome]:
        """Answer unsent for everything that was pulled; pull no more."""
        self._is_exhausted = True
        pulled = [message for call in self._waiting for message in call]
        pulled += [self._ahead] if self._ahead is not None else []
        self._waiting.clear()
        self._ahead = None
        return [unsent(message) for message in pulled]

    def _pull(self) -> Message | None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None or self._is_exhausted:
            return ahead
        try:
            return next(self._source)
        except StopIteration:
            self._is_exhausted = True
        except Exception as problem:
            self._is_exhausted, self.problem = True, problem
        return None


def fresh(messages: list[Message]) -> tuple[list[Message], list[Outcome]]:
    """Return those that may still be begun, and the outcomes of those that may not."""
    now = time.monotonic()
    late: Iterator[Message] = (message for message in messages if message.begin_by < now)
    outcomes = [unsent(message) for message in late]
    return [message for message in messages if message.begin_by >= now], outcomes


def unsent(message: Message) -> Outcome:
    """Return the outcome of a message that never went, through no fault of its own: no words."""
    return Outcome(message.delivery, "unsent", 0, "", "")
