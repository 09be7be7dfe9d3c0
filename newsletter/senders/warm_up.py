"""The warm-up of a sender: how many mails a day while receivers get to know it (P-7)."""

import zoneinfo
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection

from newsletter.models import Sender

LONGEST_DAYS = 366
"""Days after which a plan ends whatever it says."""

SENT_SINCE = """
SELECT count(*) FROM newsletter_lease AS lease
JOIN newsletter_mailing AS mailing ON mailing.id = lease.mailing_id
JOIN newsletter_delivery AS delivery
    ON delivery.id BETWEEN lease.first AND lease.last AND delivery.mailing_id = mailing.id
WHERE mailing.sender_id = %s AND mailing.started_at IS NOT NULL AND lease.updated_at >= %s
  AND delivery.state IN ('sent', 'unknown') AND delivery.settled_at >= %s
"""


@dataclass(frozen=True)
class Plan:
    """What the settings of a sender say about its warm-up."""

    on: date
    first: int
    growth: int
    until: int

    def ceiling(self, day: date) -> int | None:
        """Return how many mails campaigns may send on a day; None before, after and at the end."""
        number = (day - self.on).days
        if number < 0 or number >= LONGEST_DAYS:
            return None
        try:
            ceiling = self.first * (1 + self.growth / 100) ** number
        except OverflowError:  # far beyond any ceiling
            return None
        return int(ceiling) if ceiling < self.until else None

    def days(self) -> list[tuple[date, int]]:
        """Return every day of the plan with its ceiling."""
        planned: list[tuple[date, int]] = []
        for number in range(LONGEST_DAYS):
            day = self.on + timedelta(days=number)
            ceiling = self.ceiling(day)
            if ceiling is None:
                break
            planned.append((day, ceiling))
        return planned


def plan(sender: Sender) -> Plan | None:
    """Return the warm-up of a sender; None where it has none."""
    if sender.warm_up_on is None:
        return None
    return Plan(
        on=sender.warm_up_on,
        first=sender.warm_up_first,
        growth=sender.warm_up_growth,
        until=sender.warm_up_until,
    )


def ceiling(sender: Sender, day: date) -> int | None:
    """Return how many mails campaigns may send on a day of the client; None: no ceiling."""
    sender_plan = plan(sender)
    return sender_plan.ceiling(day) if sender_plan else None


def begins(day: date, time_zone: str) -> datetime:
    """Return the moment a day begins on a client's clock."""
    return datetime.combine(day, time.min, zoneinfo.ZoneInfo(time_zone))


def counted(sender: int, since: datetime) -> int:
    """Return from the ledger how many mails of a sender's mailings left since a moment."""
    with connection.cursor() as cursor:
        cursor.execute(SENT_SINCE, [sender, since, since])
        return int(cursor.fetchone()[0])
