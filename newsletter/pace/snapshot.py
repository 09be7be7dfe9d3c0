"""How fast it goes and what holds it back, for pages, metrics and the health page."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

import redis

from newsletter.models import Receiver
from newsletter.pace import limits
from newsletter.pace.limits import Day, Limits
from newsletter.pace.scripts import SNAPSHOT, STOP

log = logging.getLogger(__name__)


class SnapshotReply(TypedDict, total=False):
    """What `lua/snapshot.lua` answers."""

    now: float
    state: dict[str, float]
    """The fields of the sender's hash (newsletter.pace.scripts)."""
    counted: dict[str, tuple[int, int]]
    """s (sent) or h (held back) with a receiver → within ten seconds, within a minute."""
    day: Day
    so_far: int


@dataclass(frozen=True)
class ReceiverPace:
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
class SenderPace:
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
    receivers: tuple[ReceiverPace, ...]


def snapshots(senders: Sequence[int]) -> dict[int, SenderPace]:
    """Return the snapshot of each sender by its id; never raises."""
    return {sender: _fenced_snapshot(sender) for sender in senders}


def _fenced_snapshot(sender: int) -> SenderPace:
    """Return the snapshot of a sender, a blank one where it fails: it must not hide the others."""
    try:
        return _snapshot(sender)
    except (redis.RedisError, ValueError):
        pass
    except Exception:
        log.exception("the pace of sender %s cannot be told", sender)
    return SenderPace(sender, False, 0.0, 0.0, None, 0, None, None, ())


def _snapshot(sender: int) -> SenderPace:
    sender_limits = limits.of(sender)
    reply: SnapshotReply = SNAPSHOT(limits.key(sender), {"days": sender_limits.days})
    day = reply.get("day")
    numbers = sorted(_numbers(reply))
    receivers = tuple(_of_receiver(number, reply, sender_limits) for number in numbers)
    return SenderPace(
        sender=sender,
        known=True,
        per_second=round(sum(receiver.per_second for receiver in receivers), 2),
        per_second_minute=round(sum(receiver.per_second_minute for receiver in receivers), 2),
        stopped_until=_stopped(reply, "*"),
        held=sum(receiver.held for receiver in receivers),
        warm_up_count=int(reply.get("so_far") or 0) if day and day[2] else None,
        warm_up_ceiling=int(day[2]) if day and day[2] else None,
        receivers=receivers,
    )


def _numbers(reply: SnapshotReply) -> set[int]:
    """Return the receivers something is known of."""
    fields = [name[1:] for name in reply["counted"]]
    fields += [name[4:] for name in reply["state"] if name.startswith("stop")]
    return {int(name) for name in fields if name.isdecimal()}


def _of_receiver(number: int, reply: SnapshotReply, sender_limits: Limits) -> ReceiverPace:
    sent = reply["counted"].get(f"s{number}", (0, 0))
    held_back = reply["counted"].get(f"h{number}", (0, 0))
    return ReceiverPace(
        receiver=number,
        name=str(Receiver(number).label),
        per_second=round(sent[0] / 10, 2),
        per_second_minute=round(sent[1] / 60, 2),
        stopped_until=_stopped(reply, str(number)),
        connections=_connections(number, reply),
        held=int(held_back[1]),
    )


def _stopped(reply: SnapshotReply, name: str) -> datetime | None:
    """Return the end of a stop that still holds."""
    until = reply["state"].get(f"stop{name}")
    if until is None or until <= reply["now"]:
        return None
    return datetime.fromtimestamp(until, UTC)


def _connections(number: int, reply: SnapshotReply) -> int | None:
    """Return how many connections a recovering receiver is allowed; 0 while it is stopped."""
    ended = reply["state"].get(f"stop{number}")
    if ended is None:
        return None
    return max(0, 1 + int((reply["now"] - ended) // STOP)) if ended <= reply["now"] else 0
