"""The hours in which campaigns of a sender rest, on the client's clock."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta

from newsletter.models import Sender


def quiet_until(sender: Sender, at: datetime) -> datetime | None:
    """Return when the quiet hours that hold at a moment end; None where campaigns may go.

    They may run over midnight. Where clocks are put back, a time that comes twice counts the first
    time; where they are put forward, one that does not come is as many minutes after the change.
    """
    begin, end = sender.quiet_from, sender.quiet_until
    if begin is None or end is None or begin == end:
        return None
    zone = zoneinfo.ZoneInfo(sender.client.time_zone)
    today = at.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        until_day = day if begin < end else day + timedelta(days=1)
        last = _moment(until_day, end, zone)
        if _moment(day, begin, zone) <= at < last:
            return last
    return None


def _moment(day: date, clock: time, zone: zoneinfo.ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
