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
    found = limits.of(sender.pk)
    if not wanted:
        return {}
    if time.monotonic() >= memory.away_until:
        try:
            return _asked(memory, found, wanted, kind)
        except (redis.RedisError, ValueError, KeyError) as away:
            memory.away_until = time.monotonic() + LOOKS_AGAIN
            log.warning("the pace cannot be read, so it is a low one: %s", type(away).__name__)
    return _alone(memory, found, wanted, kind)


def _asked(
    memory: Memory, found: Limits, wanted: Mapping[int, int], kind: Kind
) -> dict[int, Admission]:
    """Ask Redis; where it lost the warm-up's count, count in the ledger and ask again."""
    ask: dict[str, Any] = {
        "kind": kind,
        "process": memory.name,
        "days": found.days,
        "receivers": [
            {"r": receiver, "n": count, "stop": _untold(memory, found.sender, receiver)}
            | limits.told(found, receiver)
            for receiver, count in wanted.items()
        ],
    }
    if found.per_second is not None:
        ask["rate"] = found.per_second
    said = json.loads(ADMIT(limits.key(found.sender), json.dumps(ask)))
    if "need" in said:
        since = datetime.fromtimestamp(said["start"], UTC)
        ask["counted"] = (said["need"], warm_up.counted(found.sender, since))
        said = json.loads(ADMIT(limits.key(found.sender), json.dumps(ask)))
    return _answer(memory, found, said, kind)


def _answer(
    memory: Memory, found: Limits, said: dict[str, Any], kind: Kind
) -> dict[int, Admission]:
    """Read what Redis said, and remember of it what must hold should Redis go away."""
    answer: dict[int, Admission] = {}
    for each in said["receivers"]:
        receiver, here = each["r"], (found.sender, each["r"])
        capped = each["connections"] >= 0
        memory.untold.discard(here)
        if each["why"] == "stop":
            memory.stops[here] = time.monotonic() + each["wait"]
        else:
            memory.stops.pop(here, None)
        if capped and each["go"]:
            memory.on_the_wire[here] += 1
        answer[receiver] = Admission(
            go=each["go"],
            wait=max(0.0, each["wait"]),
            spread=max(0.0, each["spread"]),
            connections=max(1, each["connections"]) if capped else None,
            words=words.why(found, each, said["now"]),
        )
    if kind == "campaign":
        _note_rest(memory, found.sender, said["receivers"])
    return answer


def _note_rest(memory: Memory, sender: int, all_said: Sequence[dict[str, Any]]) -> None:
    """Remember for a moment that nothing more of a sender can go, whoever it is for."""
    waits = [each["wait"] for each in all_said if each["why"] in _SENDER_WIDE]
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
    memory: Memory, found: Limits, wanted: Mapping[int, int], kind: Kind
) -> dict[int, Admission]:
    """Say what may go while Redis is away: a low rate, letters and notices at once (C-11)."""
    answer = {}
    for receiver, count in wanted.items():
        stopped = memory.stops.get((found.sender, receiver), 0.0) - time.monotonic()
        if kind != "campaign":
            answer[receiver] = Admission(go=count, connections=1 if stopped > 0 else None)
            continue
        rate = min(1.0, found.per_second or 1.0, found.by_receiver.get(receiver, (1, 1))[0] or 1.0)
        go = 0 if stopped > 0 else memory.alone.take((found.sender, receiver), count, rate)
        answer[receiver] = Admission(
            go=go,
            wait=max(stopped, 1.0),
            spread=1.0 / rate if count - go <= 30 * rate else 30.0 / (count - go),
            connections=1,
            words="held back: the pace cannot be read, so it goes slowly",
        )
    return answer
