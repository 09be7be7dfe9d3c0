"""What goes on, for one member of staff: what is going out, what to decide, what came of it."""

import contextlib
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db.models import Q, QuerySet, Sum
from django.utils.timezone import now
from redis import RedisError

from accountability.roles import Right
from newsletter import fence
from newsletter.mailings import lifecycle
from newsletter.models import Lease, Mailing, SetAside
from newsletter.monitoring.progress import Progress, progress
from registrants.models import Client
from registrants.models.scope import StaffUser
from tracking.reporting import report_access, totals

State = Mailing.State
SOON = timedelta(days=7)
CAMPAIGNS_SHOWN = 5
LARGE_DELIVERIES = 100_000
SUMMARY_KEPT_SECONDS = 60
"""Seconds; a million deliveries take about a second to add up, and the home page shows five."""


@dataclass(frozen=True)
class Going:
    """A mailing that is under way."""

    mailing: Mailing
    progress: Progress


@dataclass(frozen=True)
class CampaignResult:
    """A mailing that is out, with what it came to."""

    mailing: Mailing
    summary: totals.Summary


@dataclass(frozen=True)
class UndecidedMailing:
    """A mailing with deliveries of which nobody knows whether they arrived."""

    mailing: Mailing
    count: int


def going(staff: StaffUser) -> list[Going]:
    """Return what is going out now, the oldest first."""
    under_way = _seen(staff).filter(state__in=(State.STAGING, State.SENDING))
    return [Going(mailing, progress(mailing)) for mailing in under_way.order_by("started_at")[:20]]


def paused(staff: StaffUser) -> QuerySet[Mailing]:
    """Return what somebody, or a fault, has paused."""
    return _seen(staff).filter(state=State.PAUSED).order_by("-updated_at")[:20]


def scheduled(staff: StaffUser) -> QuerySet[Mailing]:
    """Return what goes out by itself within the next days, the next first."""
    soon = _seen(staff).filter(state=State.SCHEDULED, scheduled_at__lte=now() + SOON)
    late = lifecycle.overdue(soon).values("pk")
    return soon.exclude(pk__in=late).order_by("scheduled_at")[:20]


def overdue(staff: StaffUser) -> QuerySet[Mailing]:
    """Return what came due while nothing could start it, the latest first."""
    return lifecycle.overdue(_seen(staff)).order_by("-scheduled_at")[:20]


def undecided(staff: StaffUser) -> list[UndecidedMailing]:
    """Return mailings that wait for a decision about unknown deliveries."""
    undecided = Lease.objects.filter(closed_at=None, unknown__gt=0, mailing__isnull=False)
    counted = dict(undecided.values_list("mailing").annotate(count=Sum("unknown")))
    mailings = _seen(staff).filter(pk__in=counted).order_by("-pk")[:20]
    return [UndecidedMailing(mailing, counted[mailing.pk]) for mailing in mailings]


def set_aside(staff: StaffUser) -> QuerySet[SetAside]:
    """Return what failed unforeseen of mailings, and of letters for whoever sets things up."""
    mailings = _seen(staff).values("pk")
    of_mailings = SetAside.objects.filter(mailing__in=mailings)
    of_letters = SetAside.objects.for_staff(staff, Right.SETTINGS).filter(mailing=None)
    shown = fence.shown(of_mailings | of_letters.exclude(client=None))
    return shown.select_related("mailing__client", "client").defer(
        "mailing__body", "mailing__compiled"
    )[:20]


def results(staff: StaffUser) -> list[CampaignResult]:
    """Return the last mailings that are out, with what they came to."""
    done = _seen(staff).filter(state__in=(State.SENT, State.CANCELLED), started_at__isnull=False)
    newest = done.order_by("-finished_at", "-pk")[:CAMPAIGNS_SHOWN]
    return [CampaignResult(mailing, _summary(mailing)) for mailing in newest]


def held_back(staff: StaffUser) -> QuerySet[Client]:
    """Return clients none of whose campaigns can go out: no postal address, or on hold."""
    clients: QuerySet[Client] = Client.objects.for_staff(staff, Right.CAMPAIGNS).filter(
        Q(postal_address="") | Q(on_hold_at__isnull=False)
    )
    return clients[:20]


def _summary(mailing: Mailing) -> totals.Summary:
    """Return the numbers of a mailing; those of a large one are a minute old at most."""
    if (mailing.staged or 0) < LARGE_DELIVERIES:
        return totals.summary(mailing)
    key = f"summary:{mailing.pk}"
    with contextlib.suppress(RedisError):
        if summary := cache.get(key):
            return totals.read_summary(summary)
    summary = totals.summary(mailing)
    with contextlib.suppress(RedisError):
        cache.set(key, asdict(summary), SUMMARY_KEPT_SECONDS)
    return summary


def _seen(staff: StaffUser) -> QuerySet[Mailing]:
    return (
        report_access.mailings(staff)
        .select_related("client", "mailing_list", "service")
        .defer("compiled", "body")
    )
