"""How the installation is: what it needs is there, somebody works, nothing waits for too long."""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import redis
from django.db import DatabaseError, connection
from django.db.models import Count, Min, Q, QuerySet
from django.utils.timezone import now

from newsletter.models import Lease, Mailing
from newsletter.models.lease import IS_UNDECIDED, join_deliveries
from redis_store.connection import server

log = logging.getLogger(__name__)

BEATS = {"timetable": 60, "letters": 60, "campaigns": 180, "staging": 300}
"""Who says that it is alive, and after how many seconds of silence that is worth a word. The first
are short tasks; a campaign of a million is staged in one task that takes a while."""
BEAT_KEPT = 86400
UNDER_WAY = (Mailing.State.STAGING, Mailing.State.SENDING, Mailing.State.PAUSED)

UNDECIDED_COUNTS = f"""
SELECT count(*) FROM newsletter_lease AS lease
{join_deliveries("unknown", columns="id", where=IS_UNDECIDED)}
WHERE lease.closed_at IS NULL AND lease.unknown > 0
"""


@dataclass(frozen=True)
class HealthCheck:
    """One thing the installation needs: whether it is well, and in which words."""

    name: str
    is_well: bool
    words: str
    seconds: float | None = None
    """Since it was heard of last, where that is how it is told."""


@dataclass(frozen=True)
class Lane:
    """What waits in one lane: open ranges (letters: one each), and how long the oldest is due."""

    name: str
    open: int
    oldest_due_seconds: float


def beat(name: str) -> None:
    """Say that something of BEATS is alive; never raises, whoever is away."""
    try:
        server().set(f"beat:{name}", f"{time.time():.3f}", ex=BEAT_KEPT)
    except redis.RedisError as away:
        log.warning("no beat of %s: %s", name, type(away).__name__)


def silences() -> dict[str, float | None] | None:
    """Return for each of BEATS the seconds since it was heard of (None: never); None: no Redis."""
    try:
        beats = cast("list[bytes | None]", server().mget([f"beat:{name}" for name in BEATS]))
    except redis.RedisError:
        return None
    at = time.time()
    return {
        name: max(0.0, at - float(last_beat)) if last_beat else None
        for name, last_beat in zip(BEATS, beats, strict=True)
    }


def checks() -> list[HealthCheck]:
    """Return everything the installation needs, each with whether it is well; never raises."""
    seconds_silent = silences()
    checks = [
        _database(),
        HealthCheck(
            "redis", seconds_silent is not None, "it answers" if seconds_silent else "it is away"
        ),
    ]
    for name, patience in BEATS.items():
        silence = (seconds_silent or {}).get(name)
        is_well = silence is not None and silence <= patience
        checks.append(
            HealthCheck(name, is_well, _silence_text(seconds_silent is not None, silence), silence)
        )
    return checks


def _silence_text(is_redis_there: bool, silence: float | None) -> str:
    if not is_redis_there:
        return "nobody can tell while Redis is away"
    return "never heard of" if silence is None else f"heard of {silence:.0f} s ago"


def _database() -> HealthCheck:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as away:
        log.warning("the database is away: %s", type(away).__name__)
        return HealthCheck("database", False, "it is away")
    return HealthCheck("database", True, "it answers")


def lanes() -> list[Lane]:
    """Return what waits in each lane; what a paused mailing holds does not wait."""
    waiting = Q(attempt=None, waits_for_person=False, due_at__lte=now()) & (
        Q(mailing=None) | Q(mailing__state=Mailing.State.SENDING)
    )
    rows = (
        Lease.objects.filter(closed_at=None)
        .values("lane")
        .annotate(open=Count("pk"), oldest=Min("due_at", filter=waiting))
    )
    by_lane: dict[str, dict[str, Any]] = {row["lane"]: dict(row) for row in rows}
    return [
        Lane(
            name=lane.value,
            open=by_lane.get(lane.value, {}).get("open", 0),
            oldest_due_seconds=_age(by_lane.get(lane.value, {}).get("oldest")),
        )
        for lane in Lease.Lane
    ]


def _age(at: Any) -> float:
    return max(timedelta(0), now() - at).total_seconds() if at else 0.0


def workers() -> int:
    """Return how many processes hold a range of deliveries at present."""
    leases = Lease.objects.filter(closed_at=None, until__gt=now()).exclude(worker="")
    return leases.values("worker").distinct().count()


def undecided() -> int:
    """Return how many deliveries are unknown and wait for a person."""
    with connection.cursor() as cursor:
        cursor.execute(UNDECIDED_COUNTS)
        return int(cursor.fetchone()[0])


def with_undecided(mailings: QuerySet[Mailing]) -> QuerySet[Mailing]:
    """Return those of the mailings that wait for a decision on what is unknown."""
    waiting = Lease.objects.filter(closed_at=None, unknown__gt=0).values("mailing")
    return mailings.filter(pk__in=waiting)
