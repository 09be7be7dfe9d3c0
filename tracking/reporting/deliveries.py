"""Deliveries of one mailing, narrowed and some at a time, with what came back for each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from newsletter.models import Delivery, Mailing
from registrants import gate
from tracking.models import Event
from tracking.reporting import totals

AT_ONCE = 50


@dataclass(frozen=True)
class Narrowed:
    """What a list of deliveries is narrowed to; empty: everything."""

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


def some(mailing: Mailing, narrowed: Narrowed) -> tuple[list[DeliveryRow], int | None]:
    """Return one page of deliveries by id, and after which id the next one starts, if any."""
    found = list(_narrow(mailing, narrowed).select_related("registrant")[: AT_ONCE + 1])
    shown = found[:AT_ONCE]
    first = _first_events(shown)
    labels = dict(gate.Refusal.choices)
    rows = [
        DeliveryRow(
            each,
            str(labels.get(each.refusal, each.refusal)),
            first.get((each.pk, "opened")),
            first.get((each.pk, "clicked")),
        )
        for each in shown
    ]
    return rows, shown[-1].pk if len(found) > AT_ONCE else None


def _narrow(mailing: Mailing, narrowed: Narrowed) -> QuerySet[Delivery]:
    where = totals.span(mailing)
    if where is None:
        return Delivery.objects.none()
    after = max(narrowed.after, where.first - 1)
    rows = Delivery.objects.filter(mailing=mailing, pk__gt=after, pk__lte=where.last).order_by("pk")
    if narrowed.state in Delivery.State.values:
        rows = rows.filter(state=narrowed.state)
    if narrowed.refusal in gate.Refusal.values:
        rows = rows.filter(refusal=narrowed.refusal)
    for kind, said in (("opened", narrowed.opened), ("clicked", narrowed.clicked)):
        if said in ("yes", "no"):
            happened = Exists(Event.objects.filter(delivery=OuterRef("pk"), kind=kind))
            rows = rows.filter(happened if said == "yes" else ~happened)
    return rows


def _first_events(shown: Iterable[Delivery]) -> dict[tuple[int, str], datetime]:
    """Return when each delivery was first opened or clicked, in one query."""
    found: dict[tuple[int, str], datetime] = {}
    happened = Event.objects.filter(delivery__in=[each.pk for each in shown]).order_by("-at")
    for delivery, kind, at in happened.values_list("delivery", "kind", "at"):
        found[delivery, kind] = at
    return found
