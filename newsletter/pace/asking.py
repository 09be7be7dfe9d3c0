"""Ask before a window: how many of each receiver may go now, and when the others come back."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Any, Literal, NamedTuple

import redis

from newsletter.models import Sender
from newsletter.pace import limits, words
from newsletter.pace.admission import ADMIT
from newsletter.pace.limits import Limits
from newsletter.pace.memory import Memory, mine
from newsletter.receivers import lookup
from newsletter.senders import warm_up

log = logging.getLogger(__name__)

Kind = Literal["campaign", "notice", "letter"]
LOOKS_AGAIN = 1.0
"""Seconds for which a process does not ask Redis again: after it was away, or said to rest."""
RESTS_LEAST = 0.5
"""Seconds a sender at its limit gathers room, so that it goes window by window, not mail by mail;
a bucket holds twice as much."""
_SENDER_WIDE = ("server", "day", "sender")


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
            return _asked(memory, sender_limits, wanted, kind)
        except (redis.RedisError, ValueError, KeyError) as away:
            memory.away_until = time.monotonic() + LOOKS_AGAIN
            log.warning("the pace cannot be read, so it is a low one: %s", type(away).__name__)
    return _alone(memory, sender_limits, wanted, kind)


def _asked(
    memory: Memory, sender_limits: Limits, wanted: Mapping[int, int], kind: Kind
) -> dict[int, Admission]:
    """Ask Redis; where it lost the warm-up's count, count in the ledger and ask again."""
    ask: dict[str, Any] = {
        "kind": kind,
        "process": memory.name,
        "days": sender_limits.days,
        "receivers": [
            {"r": receiver, "n": count, "stop": _untold(memory, sender_limits.sender, receiver)}
            | limits.told(sender_limits, receiver)
            for receiver, count in wanted.items()
        ],
    }
    if sender_limits.per_second is not None:
        ask["rate"] = sender_limits.per_second
    reply = json.loads(ADMIT(limits.key(sender_limits.sender), json.dumps(ask)))
    if "need" in reply:
        since = datetime.fromtimestamp(reply["start"], UTC)
        ask["counted"] = (reply["need"], warm_up.counted(sender_limits.sender, since))
        reply = json.loads(ADMIT(limits.key(sender_limits.sender), json.dumps(ask)))
    return _answer(memory, sender_limits, reply, kind)


def _answer(
    memory: Memory, sender_limits: Limits, reply: dict[str, Any], kind: Kind
) -> dict[int, Admission]:
    """Read what Redis said, and remember of it what must hold should Redis go away."""
    answer: dict[int, Admission] = {}
    for receiver_reply in reply["receivers"]:
        receiver, here = receiver_reply["r"], (sender_limits.sender, receiver_reply["r"])
        capped = receiver_reply["connections"] >= 0
        memory.untold.discard(here)
        if receiver_reply["why"] == "stop":
            memory.stops[here] = time.monotonic() + receiver_reply["wait"]
        else:
            memory.stops.pop(here, None)
        if capped and receiver_reply["go"]:
            memory.on_the_wire[here] += 1
        answer[receiver] = Admission(
            go=receiver_reply["go"],
            wait=max(0.0, receiver_reply["wait"]),
            spread=max(0.0, receiver_reply["spread"]),
            connections=max(1, receiver_reply["connections"]) if capped else None,
            words=words.why(sender_limits, receiver_reply, reply["now"]),
        )
    if kind == "campaign":
        _note_rest(memory, sender_limits.sender, reply["receivers"])
    return answer


def _note_rest(memory: Memory, sender: int, receiver_replies: Sequence[dict[str, Any]]) -> None:
    """Remember for a moment that nothing more of a sender can go, whoever it is for."""
    waits = [
        receiver_reply["wait"]
        for receiver_reply in receiver_replies
        if receiver_reply["why"] in _SENDER_WIDE
    ]
    if waits:
        seconds = min(max(min(waits), RESTS_LEAST), LOOKS_AGAIN)
        memory.rests[sender] = time.monotonic() + seconds
    else:
        memory.rests.pop(sender, None)


def most(sender: Sender) -> float:
    """Return how many mails a second a sender may send at most; infinite: as many as it can."""
    limit = limits.of(sender.pk).per_second
    return inf if limit is None else float(limit)


def rest(sender: Sender) -> float:
    """Return for how many seconds campaigns of a sender need not be handed over at all.

    From what this process was last told, at most a second; so that a sender at its limit costs
    one question a second and not a ledger full of deliveries held over and over.
    """
    return max(0.0, mine().rests.get(sender.pk, 0.0) - time.monotonic())


def _untold(memory: Memory, sender: int, receiver: int) -> float:
    """Return how long a receiver stays stopped where Redis was away when it asked for it."""
    if (sender, receiver) not in memory.untold:
        return 0.0
    return max(0.0, memory.stops.get((sender, receiver), 0.0) - time.monotonic())


def _alone(
    memory: Memory, sender_limits: Limits, wanted: Mapping[int, int], kind: Kind
) -> dict[int, Admission]:
    """Say what may go while Redis is away: a low rate, letters and notices at once (C-11)."""
    answer = {}
    for receiver, count in wanted.items():
        stopped = memory.stops.get((sender_limits.sender, receiver), 0.0) - time.monotonic()
        if kind != "campaign":
            answer[receiver] = Admission(go=count, connections=1 if stopped > 0 else None)
            continue
        rate = min(
            1.0,
            sender_limits.per_second or 1.0,
            sender_limits.by_receiver.get(receiver, (1, 1))[0] or 1.0,
        )
        go = 0 if stopped > 0 else memory.alone.take((sender_limits.sender, receiver), count, rate)
        answer[receiver] = Admission(
            go=go,
            wait=max(stopped, 1.0),
            spread=1.0 / rate if count - go <= 30 * rate else 30.0 / (count - go),
            connections=1,
            words="held back: the pace cannot be read, so it goes slowly",
        )
    return answer
