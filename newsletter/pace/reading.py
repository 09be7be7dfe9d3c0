"""How fast it goes and what holds it back, for pages, metrics and the health page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from newsletter.models import Receiver
from newsletter.pace import limits
from newsletter.pace.limits import Limits
from newsletter.pace.scripts import READ, STOP


@dataclass(frozen=True)
class ReceiverReading:
    """How one receiver takes the mail of one sender."""

    receiver: int
    name: str
    per_second: float
    """Sent a second, over the last ten seconds."""
    per_second_minute: float
    """Sent a second, over the last minute."""
    stopped_until: datetime | None
    """Until when it is left alone because it asked for it."""
    connections: int | None
    """Connections allowed in the whole installation while it recovers; None: as set up."""
    held: int
    """Deliveries held back from it within the last minute."""


@dataclass(frozen=True)
class SenderReading:
    """How the mail of one sender goes; known False: Redis could not be asked."""

    sender: int
    known: bool
    per_second: float
    per_second_minute: float
    stopped_until: datetime | None
    """Until when its own mail server wants to be left alone (Retry-After)."""
    held: int
    warm_up_count: int | None
    """Sent today on the client's clock; None where no warm-up counts."""
    warm_up_ceiling: int | None
    receivers: tuple[ReceiverReading, ...]


def readings(senders: Sequence[int]) -> dict[int, SenderReading]:
    """Return the reading of each sender by its id; never raises."""
    return {sender: _reading(sender) for sender in senders}


def _reading(sender: int) -> SenderReading:
    found = limits.of(sender)
    try:
        said = json.loads(READ(limits.key(sender), json.dumps({"days": found.days})))
    except (redis.RedisError, ValueError):
        return SenderReading(sender, False, 0.0, 0.0, None, 0, None, None, ())
    day = said.get("day")
    numbers = sorted(_numbers(said))
    each = tuple(_of_receiver(number, said, found) for number in numbers)
    return SenderReading(
        sender=sender,
        known=True,
        per_second=round(sum(one.per_second for one in each), 2),
        per_second_minute=round(sum(one.per_second_minute for one in each), 2),
        stopped_until=_stopped(said, "*"),
        held=sum(one.held for one in each),
        warm_up_count=int(said.get("so_far") or 0) if day and day[2] else None,
        warm_up_ceiling=int(day[2]) if day and day[2] else None,
        receivers=each,
    )


def _numbers(said: dict[str, Any]) -> set[int]:
    """Return the receivers something is known of."""
    fields = [name[1:] for name in said["counted"]]
    fields += [name[4:] for name in said["state"] if name.startswith("stop")]
    return {int(name) for name in fields if name.isdecimal()}


def _of_receiver(number: int, said: dict[str, Any], found: Limits) -> ReceiverReading:
    sent = said["counted"].get(f"s{number}", (0, 0))
    held = said["counted"].get(f"h{number}", (0, 0))
    return ReceiverReading(
        receiver=number,
        name=str(Receiver(number).label),
        per_second=round(sent[0] / 10, 2),
        per_second_minute=round(sent[1] / 60, 2),
        stopped_until=_stopped(said, str(number)),
        connections=_connections(number, said),
        held=int(held[1]),
    )


def _stopped(said: dict[str, Any], name: str) -> datetime | None:
    """Return the end of a stop that still holds."""
    until = said["state"].get(f"stop{name}")
    if until is None or until <= said["now"]:
        return None
    return datetime.fromtimestamp(until, UTC)


def _connections(number: int, said: dict[str, Any]) -> int | None:
    """Return how many connections a recovering receiver is allowed; 0 while it is stopped."""
    ended = said["state"].get(f"stop{number}")
    if ended is None:
        return None
    return max(0, 1 + int((said["now"] - ended) // STOP)) if ended <= said["now"] else 0
