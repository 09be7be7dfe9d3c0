"""The sentence in which a delivery held back says why."""

import zoneinfo
from datetime import datetime
from typing import TypedDict

from newsletter.models import Receiver
from newsletter.pace.limits import Limits


class ReceiverReply(TypedDict):
    """What `lua/admit.lua` answers about one receiver."""

    r: int
    go: int
    why: str
    wait: float
    spread: float
    connections: int


def throttle_reason(limits: Limits, receiver_reply: ReceiverReply, now: float) -> str:
    """Say why some are held back, with times on the client's clock; nothing where none are."""
    if not receiver_reply["why"]:
        return ""
    name = Receiver(receiver_reply["r"]).label
    until = datetime.fromtimestamp(
        now + receiver_reply["wait"], zoneinfo.ZoneInfo(limits.time_zone)
    )
    rate = limits.by_receiver.get(receiver_reply["r"], (None, None))[0]
    reasons = {
        "stop": f"{name} asked us to slow down until {until:%H:%M}",
        "turn": f"{name} asked us to slow down; few connections until it has calmed",
        "server": f"the mail server asked us to wait until {until:%H:%M:%S}",
        "day": f"warm-up, {_ceiling(limits, now):,} a day",
        "receiver": f"{rate or 0:g} a second to {name}",
        "sender": f"{limits.per_second} a second from this sender",
    }
    return f"held back: {reasons[receiver_reply['why']]}"


def _ceiling(limits: Limits, now: float) -> int:
    begun = [int(ceiling) for start, _, ceiling in limits.days if start <= now]
    return begun[-1] if begun else 0
