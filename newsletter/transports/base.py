"""What every transport takes, answers and refuses: the contract of the wire."""

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Literal, NamedTuple, Protocol

State = Literal["sent", "deferred", "failed", "unknown", "unsent"]


class Message(NamedTuple):
    """One whole message to one recipient, ready for the wire."""

    delivery: int
    envelope_from: str
    """Where bounces go; empty for the null sender."""
    recipient: str
    """ASCII local part, domain as A-labels."""
    data: bytes
    """Headers and body with CRLF line ends; leading dots as they are, the wire stuffs them."""
    is_plain: bool = False
    """Whether it is ASCII, and no line of it starts with a dot or follows a bare line end."""
    begin_by: float = inf
    """Until when it may be begun (time.monotonic); later it is unsent: the gate must be asked."""
    from_name: str | None = None
    """The sender's name as it was written, for providers; none: it is read from the data."""


class Outcome(NamedTuple):
    """What became of one message.

    ``sent``: the server took it. ``deferred``: it said 4xx. ``failed``: it said 5xx, or the message
    cannot be put on this wire at all. ``unknown``: the end of the data was sent and nothing came
    back. ``unsent``: it never got past its final dot, so it is safe to send again; with words where
    connections broke under it, without where it only waited.
    """

    delivery: int
    state: State
    code: int
    """The server's three digits, 0 where it said nothing."""
    enhanced: str
    """The enhanced status code (RFC 3463), empty where there was none."""
    words: str
    """The server's words, or ours where it said none; never an e-mail address."""


class Unavailable(Exception):
    """The server cannot be reached, greeted, trusted or signed in to, or wants to be left alone."""

    def __init__(
        self, reason: str, *, configuration: bool = False, code: int = 0, retry_after: int = 0
    ) -> None:
        super().__init__(reason)
        self.words = reason
        self.configuration = configuration
        self.code = code
        self.retry_after = retry_after


class Note(Protocol):
    """Told once per round on the wire, before the bytes go: what a crash must not forget."""

    def __call__(self, going: Sequence[int], answered: Sequence[Outcome], /) -> None:
        """Keep which deliveries' bodies are about to go, and what was answered since last time."""


class Transport(Protocol):
    """A way out for mail."""

    def send(self, messages: Iterable[Message], *, note: Note | None = None) -> Iterator[Outcome]:
        """Send what the iterable yields, pulled as the wire has room; one outcome per message.

        Raises Unavailable where nothing (more) can be sent: before any message was pulled, or
        after every one that was has had its outcome.
        """

    def close(self) -> None:
        """Say goodbye to the server; a later send connects afresh."""
