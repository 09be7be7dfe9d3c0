"""The words in which a held delivery says why it is held."""

import zoneinfo
from datetime import datetime
from typing import Any

from newsletter.models import Receiver
from newsletter.pace.limits import Limits


def why(found: Limits, each: dict[str, Any], now: float) -> str:
    """Say why some are held, with times on the client's clock."""
    why = each["why"]
    if not why:
        return ""
    name = Receiver(each["r"]).label
    until = datetime.fromtimestamp(now + each["wait"], zoneinfo.ZoneInfo(found.time_zone))
    rate = found.by_receiver.get(each["r"], (None, None))[0]
    said = {
        "stop": f"{name} asked us to slow down until {until:%H:%M}",
        "turn": f"{name} asked us to slow down; few connections until it has calmed",
        "server": f"the mail server asked us to wait until {until:%H:%M:%S}",
        "day": f"warm-up, {_ceiling(found, now):,} a day",
        "receiver": f"{rate or 0:g} a second to {name}",
        "sender": f"{found.per_second} a second from this sender",
    }
    return f"held back: {said[why]}"


def _ceiling(found: Limits, now: float) -> int:
    begun = [int(ceiling) for start, _, ceiling in found.days if start <= now]
    return begun[-1] if begun else 0
