"""What limits a sender: its settings of pace as every process last read them."""

import time
import zoneinfo
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.utils.timezone import now

from newsletter.models import PaceRule, Sender
from newsletter.senders import warm_up

REREAD_SECONDS = 2.0
"""Seconds a process goes by what it read."""

Day = tuple[float, str, int | bool]
"""When a day of the client begins (seconds since 1970), its name, its ceiling (False: none)."""


@dataclass(frozen=True)
class Limits:
    """The limits of one sender; what is None is not limited."""

    sender: int
    connections: int = 4
    per_second: int | None = None
    by_receiver: dict[int, tuple[float | None, int | None]] = field(default_factory=dict)
    """Receiver → mails a second and connections of one process."""
    time_zone: str = "UTC"
    days: tuple[Day, ...] = ()


_cache: dict[int, tuple[float, Limits]] = {}


def of(sender: int) -> Limits:
    """Return the limits of a sender, read at most every two seconds; the last known in trouble."""
    known = _cache.get(sender)
    if known is not None and time.monotonic() < known[0]:
        return known[1]
    try:
        limits = _find(sender)
    except DatabaseError:
        limits = known[1] if known else Limits(sender, per_second=1)
    _cache[sender] = (time.monotonic() + REREAD_SECONDS, limits)
    return limits


def key(sender: int) -> str:
    """Return the key in Redis all of a sender's pace stands under."""
    return f"pace:{sender}"


def forget() -> None:
    """Read everything afresh at the next question."""
    _cache.clear()


def _find(pk: int) -> Limits:
    sender = Sender.objects.select_related("client").filter(pk=pk).first()
    if sender is None:
        return Limits(pk)
    rules = PaceRule.objects.filter(sender=pk)
    return Limits(
        sender=pk,
        connections=sender.connections,
        per_second=sender.per_second,
        by_receiver={
            rule.receiver: (
                float(rule.per_second) if rule.per_second is not None else None,
                rule.connections,
            )
            for rule in rules
        },
        time_zone=sender.client.time_zone,
        days=_days(sender, now()),
    )


def _days(sender: Sender, at: datetime) -> tuple[Day, ...]:
    """Return yesterday to the day after tomorrow, so that Redis' clock can choose (AT-C8)."""
    if sender.warm_up_on is None:
        return ()
    zone = sender.client.time_zone
    today = at.astimezone(zoneinfo.ZoneInfo(zone)).date()
    days = [today + timedelta(days=number) for number in (-1, 0, 1, 2)]
    return tuple(
        (
            warm_up.begins(day, zone).timestamp(),
            day.isoformat(),
            warm_up.ceiling(sender, day) or False,
        )
        for day in days
    )


def script_arguments(limits: Limits, receiver: int) -> dict[str, float]:
    """Return the limits for one receiver as `lua/admit.lua` reads them."""
    rate, connections = limits.by_receiver.get(receiver, (None, None))
    arguments: dict[str, float] = {"connections": connections or limits.connections}
    if rate is not None:
        arguments["rate"] = rate
    if connections is not None:
        arguments["cap"] = connections
    return arguments
