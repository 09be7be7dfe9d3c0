"""Record after a window what left, who asked us to slow down, and what did not leave."""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

import redis

from newsletter.models import Sender
from newsletter.pace import limits, pushback
from newsletter.pace.admission import RETRY_SECONDS
from newsletter.pace.limits import Day
from newsletter.pace.memory import Memory, mine
from newsletter.pace.scripts import LIFT, RECORD, STOP

if TYPE_CHECKING:
    from newsletter.transports import Outcome

log = logging.getLogger(__name__)


class Tally(TypedDict):
    """A window's outcomes as `lua/record.lua` reads them."""

    process: str
    days: Sequence[Day]
    sent: Mapping[int, int]
    stops: Mapping[str, int]
    """Receiver, or * for the whole sender → seconds."""
    back: Mapping[str, int]
    """Receiver, or nothing for the whole sender → mails let go that did not leave."""
    uncount: int
    """Mails the warm-up counted and that were not taken."""
    idle: Sequence[int]
    """Receivers nothing of this process is on its way to any more."""


def record(
    sender: Sender, outcomes: Sequence[tuple[int, "Outcome"]], *, retry_after: int = 0
) -> None:
    """Learn from a window what the receivers said; one round trip, never raises.

    Who asked us to slow down is left alone for ten minutes at least; the whole sender for
    `retry_after` seconds. What was let go and did not leave is given back.
    """
    memory = mine()
    tally = _tally(memory, sender.pk, outcomes, retry_after)
    try:
        if time.monotonic() >= memory.away_until:
            RECORD(limits.key(sender.pk), tally)
            return
    except redis.RedisError as away:
        memory.away_until = time.monotonic() + RETRY_SECONDS
        log.warning("what receivers said is kept here alone: %s", type(away).__name__)
    memory.unreported_stops.update((sender.pk, int(name)) for name in tally["stops"] if name != "*")


def _tally(
    memory: Memory, sender: int, outcomes: Sequence[tuple[int, "Outcome"]], retry_after: int
) -> Tally:
    """Count a window's outcomes by receiver, and find who asked for what."""
    sent: Counter[int] = Counter()
    back: Counter[str] = Counter()
    stops: dict[str, int] = {"*": retry_after} if retry_after else {}
    met: set[int] = set()
    uncount = 0
    for receiver, outcome in outcomes:
        met.add(receiver)
        if outcome.state == "sent":
            sent[receiver] += 1
            continue
        uncount += outcome.state != "unknown"
        if outcome.state == "unsent":
            back[str(receiver)] += 1
            back[""] += 1
        if wait := pushback.relay_seconds(outcome):
            stops["*"] = max(stops.get("*", 0), wait)
        elif pushback.asks_to_slow_down(receiver, outcome):
            stops[str(receiver)] = STOP
            memory.stops[sender, receiver] = time.monotonic() + STOP
    return {
        "process": memory.name,
        "days": limits.of(sender).days,
        "sent": sent,
        "stops": stops,
        "back": back,
        "uncount": uncount,
        "idle": [receiver for receiver in met if _idle(memory, (sender, receiver))],
    }


def _idle(memory: Memory, here: tuple[int, int]) -> bool:
    """Tell whether a window was the last of ours on its way to a receiver with few connections."""
    if not memory.on_the_wire[here]:
        del memory.on_the_wire[here]
        return False
    memory.on_the_wire[here] -= 1
    return not memory.on_the_wire[here]


def forget(sender: Sender) -> None:
    """Lift every stop of a sender: a person says "try again now". Raises RedisError."""
    memory = mine()
    for here in [place for place in memory.stops if place[0] == sender.pk]:
        memory.stops.pop(here, None)
        memory.unreported_stops.discard(here)
    LIFT(limits.key(sender.pk), {"days": []})
