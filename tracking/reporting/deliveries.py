"""Deliveries of one mailing, filtered and a page at a time, with what came back for each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from newsletter.mailings import delivery_sql
from newsletter.models import Delivery, Mailing
from registrants import gate
from tracking.models import Event

ROWS_A_PAGE = 50


@dataclass(frozen=True)
class DeliveryFilter:
    """What a list of deliveries is filtered by; empty: everything."""

    state: str = ""
    refusal: str = ""
    opened: str = ""
    clicked: str = ""
    after: int = 0


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery, with when it was first opened and clicked."""

    delivery: Delivery
    refusal: str
    opened: datetime | None
    clicked: datetime | None


def delivery_page(
    mailing: Mailing, filters: DeliveryFilter
) -> tuple[list[DeliveryRow], int | None]:
    """Return one page of deliveries by id, and after which id the next one starts, if any."""
    deliveries = list(_filtered(mailing, filters).select_related("registrant")[: ROWS_A_PAGE + 1])
    shown = deliveries[:ROWS_A_PAGE]
    first = _first_events(shown)
    labels = dict(gate.Refusal.choices)
    rows = [
        DeliveryRow(
            delivery,
            str(labels.get(delivery.refusal, delivery.refusal)),
            first.get((delivery.pk, "opened")),
            first.get((delivery.pk, "clicked")),
        )
        for delivery in shown
    ]
    return rows, shown[-1].pk if len(deliveries) > ROWS_A_PAGE else None


def _filtered(mailing: Mailing, filters: DeliveryFilter) -> QuerySet[Delivery]:
    where = delivery_sql.span(mailing.pk)
    if where is None:
        return Delivery.objects.none()
    after = max(filters.after, where.first - 1)
    rows = Delivery.objects.filter(mailing=mailing, pk__gt=after, pk__lte=where.last).order_by("pk")
    if filters.state in Delivery.State.values:
        rows = rows.filter(state=filters.state)
    if filters.refusal in gate.Refusal.values:
        rows = rows.filter(refusal=filters.refusal)
    for kind, answer in (("opened", filters.opened), ("clicked", filters.clicked)):
        if answer in ("yes", "no"):
            happened = Exists(Event.objects.filter(delivery=OuterRef("pk"), kind=kind))
            rows = rows.filter(happened if answer == "yes" else ~happened)
    return rows


def _first_events(shown: Iterable[Delivery]) -> dict[tuple[int, str], datetime]:
    """Return when each delivery was first opened or clicked, in one query."""
    first_at: dict[tuple[int, str], datetime] = {}
    numbers = [delivery.pk for delivery in shown]
    happened = Event.objects.filter(delivery__in=numbers).order_by("-at")
    for delivery, kind, at in happened.values_list("delivery", "kind", "at"):
        first_at[delivery, kind] = at
    return first_at
