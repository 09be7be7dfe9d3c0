"""How far a mailing has come, from the counts of its leases."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils.timezone import now

from newsletter.models import Lease, Mailing

RECENTLY = timedelta(seconds=10)


@dataclass(frozen=True)
class Progress:
    """Counts of deliveries, the present rate, and what is waited for."""

    total: int
    sent: int
    refused: int
    failed: int
    deferred: int
    unknown: int
    open: int
    per_second: float
    seconds_left: int | None
    waiting_reason: str
    waiting_until: datetime | None

    @property
    def percent(self) -> int:
        """Return how much of the whole is closed, 0 to 100."""
        done = self.sent + self.refused + self.failed
        return 100 if not self.total else done * 100 // self.total


def progress(mailing: Mailing) -> Progress:
    """Return how far a mailing has come; at most one row per 500 deliveries is read."""
    leases = Lease.objects.filter(mailing=mailing)
    states = ("sent", "refused", "failed", "deferred", "unknown")
    counts = leases.aggregate(**{state: Sum(state, default=0) for state in states})
    total = mailing.staged or 0
    closed = counts["sent"] + counts["refused"] + counts["failed"]
    rate = _rate(mailing, closed)
    waiting = total - closed - counts["unknown"]
    return Progress(
        total=total,
        open=total - closed,
        per_second=rate,
        seconds_left=int(waiting / rate) if rate and waiting else (0 if not waiting else None),
        waiting_reason=mailing.waiting_reason,
        waiting_until=mailing.waiting_until,
        **counts,
    )


def _rate(mailing: Mailing, closed: int) -> float:
    """Return deliveries a second over the last seconds, or since the start where that is young."""
    if mailing.state != Mailing.State.SENDING or mailing.started_at is None:
        return 0.0
    recent = Lease.objects.filter(mailing=mailing, closed_at__gte=now() - RECENTLY)
    seconds = (now() - mailing.started_at).total_seconds()
    if seconds < RECENTLY.total_seconds():
        return closed / max(seconds, 1.0)
    done = recent.aggregate(done=Sum("size", default=0))
    return float(done["done"]) / RECENTLY.total_seconds()
