"""How far a mailing has come, from the counts of its leases."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Sum
from django.utils.timezone import now

from newsletter.models import Lease, Mailing

RECENTLY = timedelta(seconds=10)
SAMPLES = 6
"""Looks remembered, two seconds apart: the rate shown is that of the last ten."""


class Sample(NamedTuple):
    """How many were done when somebody looked; the page brings its earlier looks along."""

    at: float
    """Seconds since the epoch."""
    done: int


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
    samples: str

    @property
    def percent(self) -> int:
        """Return how much of the whole is closed, 0 to 100."""
        done = self.sent + self.refused + self.failed
        return 100 if not self.total else done * 100 // self.total

    @property
    def waiting(self) -> int:
        """Return how many have not been on their way yet."""
        return self.open - self.unknown - self.deferred

    @property
    def left(self) -> str:
        """Return the time left in words, empty where nobody can tell."""
        if not self.seconds_left:
            return ""
        if self.seconds_left < 60:
            return "less than a minute left"
        hours, minutes = divmod(round(self.seconds_left / 60), 60)
        return f"about {hours} h {minutes} min left" if hours else f"about {minutes} min left"


def progress(mailing: Mailing, *, earlier: str = "") -> Progress:
    """Return how far a mailing has come; about one row per 2,500 deliveries is read.

    `earlier` are the samples of the last look, from which the present rate is reckoned.
    """
    leases = Lease.objects.filter(mailing=mailing)
    states = ("sent", "refused", "failed", "deferred", "unknown")
    counts = leases.aggregate(**{state: Sum(state, default=0) for state in states})
    total = mailing.staged or 0
    closed = counts["sent"] + counts["refused"] + counts["failed"]
    done = closed + counts["unknown"]
    samples = _samples(earlier, Sample(time.time(), done))
    rate = _rate(mailing, samples, done)
    waiting = total - done - counts["deferred"]
    return Progress(
        total=total,
        open=total - closed,
        per_second=rate,
        seconds_left=int(waiting / rate) if rate and waiting else (0 if not waiting else None),
        waiting_reason=mailing.waiting_reason,
        waiting_until=mailing.waiting_until,
        samples=",".join(f"{sample.at:.1f}:{sample.done}" for sample in samples),
        **counts,
    )


def _samples(earlier: str, latest: Sample) -> list[Sample]:
    """Return the looks of the last ten seconds and this one; what is not a look is left out."""
    samples = []
    for look in earlier[:200].split(",")[-SAMPLES:]:
        at, _, done = look.partition(":")
        if at.replace(".", "", 1).isdecimal() and done.isdecimal():
            sample = Sample(float(at), int(done))
            if 0 <= latest.at - sample.at <= RECENTLY.total_seconds() + 2:
                samples.append(sample)
    if not samples or latest.at - samples[-1].at >= 2:
        samples.append(latest)
    return samples[-SAMPLES:]


def _rate(mailing: Mailing, samples: Sequence[Sample], done: int) -> float:
    """Return deliveries a second since the earliest look, or from what closed of late."""
    if mailing.state != Mailing.State.SENDING or mailing.started_at is None:
        return 0.0
    since = time.time() - samples[0].at
    if since >= 1.5:
        return max(0.0, (done - samples[0].done) / since)
    seconds = (now() - mailing.started_at).total_seconds()
    if seconds < RECENTLY.total_seconds():
        return done / max(seconds, 1.0)
    recent = Lease.objects.filter(mailing=mailing, closed_at__gte=now() - RECENTLY)
    return float(recent.aggregate(done=Sum("size", default=0))["done"]) / RECENTLY.total_seconds()
