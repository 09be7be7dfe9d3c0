"""Ask before a window: how many of each receiver may go now, and when the others come back."""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Literal, NamedTuple, TypedDict

import redis

from newsletter.models import Sender
from newsletter.pace import limits
from newsletter.pace.limits import Limits
from newsletter.pace.memory import Memory, mine
from newsletter.pace.scripts import ADMIT
from newsletter.pace.throttle_reasons import ReceiverReply, throttle_reason
from newsletter.receivers import lookup
from newsletter.senders import warm_up

log = logging.getLogger(__name__)

Kind = Literal["campaign", "notice", "letter"]
RETRY_SECONDS = 1.0
"""Seconds for which a process does not ask Redis again: after it was away, or said to rest."""
LEAST_REST = 0.5
"""Seconds a sender at its limit gathers room, so that it goes window by window, not mail by mail;
a bucket holds twice as much."""
_SENDER_WIDE = ("server", "day", "sender")


class AdmitReply(TypedDict, total=False):
    """What `lua/admit.lua` answers: the receivers, or the day whose count it lost."""

    now: float
    receivers: list[ReceiverReply]
    need: str
    start: float


class Admission(NamedTuple):
    """How many of one receiver may go now, and what becomes of the rest."""

    go: int
    wait: float = 0.0
    """Seconds until the first of those held comes back."""
    spread: float = 0.0
    """Seconds between one held and the next."""
    connections: int | None = None
    """At most so many connections to it from this process; None: the sender's own number."""
    words: str = ""
    """Why the others are held."""


def admit(sender: Sender, wanted: Mapping[int, int], *, kind: Kind) -> dict[int, Admission]:
    """Say of each receiver how many of a window may go now; one round trip, never raises.

    Campaigns leave a share of a limited rate to letters and notices. Letters are never held;
    notices only by a receiver or a server that asked us to stop, or a minute ahead of the rate.
    Without Redis campaigns go at one a second and receiver in each process.
    """
    memory = mine()
    lookup.refresh()
    sender_limits = limits.of(sender.pk)
    if not wanted:
        return {}
    if time.monotonic() >= memory.away_until:
        try:
            return _from_redis(memory, sender_limits, wanted, kind)
        except (redis.RedisError, ValueError, KeyError) as away:
            memory.away_until = time.monotonic() + RETRY_SECONDS
            log.warning("the pace cannot be read, so it is a low one: %s", type(away).__name__)
    return _without_redis(memory, sender_limits, wanted, kind)


def _from_redis(
    memory: Memory, sender_limits: Limits, wanted: Mapping[int, int], kind: Kind
) -> dict[int, Admission]:
    """Ask Redis; where it lost the warm-up's count, count in the ledger and ask again."""
    question: dict[str, object] = {
        "kind": kind,
        "process": memory.name,
        "days": sender_limits.days,
        "receivers": [
            {
                "r": receiver,
                "n": count,
                "stop": _unreported_stop(memory, sender_limits.sender, receiver),
            }
            | limits.script_arguments(sender_limits, receiver)
            for receiver, count in wanted.items()
        ],
    }
    if sender_limits.per_second is not None:
        question["rate"] = sender_limits.per_second
    reply: AdmitReply = ADMIT(limits.key(sender_limits.sender), question)
    if "need" in reply:
        since = datetime.fromtimestamp(reply["start"], UTC)
        question["counted"] = (reply["need"], warm_up.counted(sender_limits.sender, since))
        reply = ADMIT(limits.key(sender_limits.sender), question)
    return _admissions(memory, sender_limits, reply, kind)


def _admissions(
    memory: Memory, sender_limits: Limits, reply: AdmitReply, kind: Kind
) -> dict[int, Admission]:
    """Read what Redis said, and remember of it what must hold should Redis go away."""
    admissions: dict[int, Admission] = {}
    for receiver_reply in reply["receivers"]:
        receiver, here = receiver_reply["r"], (sender_limits.sender, receiver_reply["r"])
        capped = receiver_reply["connections"] >= 0
        memory.unreported_stops.discard(here)
        if receiver_reply["why"] == "stop":
            memory.stops[here] = time.monotonic() + receiver_reply["wait"]
        else:
            memory.stops.pop(here, None)
        if capped and receiver_reply["go"]:
            memory.on_the_wire[here] += 1
        admissions[receiver] = Admission(
            go=receiver_reply["go"],
            wait=max(0.0, receiver_reply["wait"]),
            spread=max(0.0, receiver_reply["spread"]),
            connections=max(1, receiver_reply["connections"]) if capped else None,
            words=throttle_reason(sender_limits, receiver_reply, reply["now"]),
        )
    if kind == "campaign":
        _note_rest(memory, sender_limits.sender, reply["receivers"])
    return admissions


def _note_rest(memory: Memory, sender: int, receiver_replies: Sequence[ReceiverReply]) -> None:
    """Remember for a moment that nothing more of a sender can go, whoever it is for."""
    waits = [
        receiver_reply["wait"]
        for receiver_reply in receiver_replies
        if receiver_reply["why"] in _SENDER_WIDE
    ]
    if waits:
        seconds = min(max(min(waits), LEAST_REST), RETRY_SECONDS)
        memory.rests[sender] = time.monotonic() + seconds
    else:
        memory.rests.pop(sender, None)


def most(sender: Sender) -> float:
    """Return how many mails a second a sender may send at most; infinite: as many as it can."""
    limit = limits.of(sender.pk).per_second
    return inf if limit is None else float(limit)


def rest(sender: Sender) -> float:
    """Return for how many seconds campaigns of a sender need not be handed over at all.

    From what Redis last answered this process, at most a second; so that a sender at its limit
    costs one question a second and not a ledger full of deliveries held over and over.
    """
    return max(0.0, mine().rests.get(sender.pk, 0.0) - time.monotonic())


def _unreported_stop(memory: Memory, sender: int, receiver: int) -> float:
    """Return how long a receiver stays stopped where Redis was away when it asked for it."""
    if (sender, receiver) not in memory.unreported_stops:
        return 0.0
    return max(0.0, memory.stops.get((sender, receiver), 0.0) - time.monotonic())


def _without_redis(
    memory: Memory, sender_limits: Limits, wanted: Mapping[int, int], kind: Kind
) -> dict[int, Admission]:
    """Say what may go while Redis is away: a low rate, letters and notices at once (C-11)."""
    admissions = {}
    for receiver, count in wanted.items():
        stopped = memory.stops.get((sender_limits.sender, receiver), 0.0) - time.monotonic()
        if kind != "campaign":
            admissions[receiver] = Admission(go=count, connections=1 if stopped > 0 else None)
            continue
        rate = min(
            1.0,
            sender_limits.per_second or 1.0,
            sender_limits.by_receiver.get(receiver, (1, 1))[0] or 1.0,
        )
        go = (
            0
            if stopped > 0
            else memory.local_buckets.take((sender_limits.sender, receiver), count, rate)
        )
        admissions[receiver] = Admission(
            go=go,
            wait=max(stopped, 1.0),
            spread=1.0 / rate if count - go <= 30 * rate else 30.0 / (count - go),
            connections=1,
            words="held back: the pace cannot be read, so it goes slowly",
        )
    return admissions
