"""The figures monitoring asks for, asked of database and Redis when it asks."""

import logging
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, F, Sum
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from newsletter import fence, pace
from newsletter.mailings import lifecycle
from newsletter.models import Lease, Mailing, Sender, SetAside
from newsletter.monitoring import health

log = logging.getLogger(__name__)
COUNTED_STATES = ("sent", "refused", "failed", "deferred", "unknown")


def text() -> bytes:
    """Return all figures in the text format of Prometheus; what is away is left out, and said."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Asked())
    return generate_latest(registry)


class _Asked(Collector):
    """Asks anew for every scrape, so that no process has to keep figures of its own."""

    def describe(self) -> list[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        parts = health.checks()
        yield from _of_parts(parts)
        if all(part.is_well for part in parts if part.name == "database"):
            yield from _of_database()


def _gauge(name: str, help_text: str, labels: list[str] | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"heed_{name}", help_text, labels=labels or [])


def _single(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    gauge = _gauge(name, help_text)
    gauge.add_metric([], value)
    return gauge


def _of_parts(parts: list[health.HealthCheck]) -> Iterator[GaugeMetricFamily]:
    up = _gauge("up", "1 where a part of the installation is well", ["part"])
    silence = _gauge("silence_seconds", "Seconds since a part was heard of", ["part"])
    for part in parts:
        up.add_metric([part.name], part.is_well)
        if part.seconds is not None:
            silence.add_metric([part.name], part.seconds)
    yield up
    yield silence


def _of_database() -> Iterator[GaugeMetricFamily]:
    """Ask for every figure; one that cannot be told must not hide the others."""
    untold = 0
    for figures in (_mailings, _deliveries, _lanes, _of_senders, _set_aside, _counts):
        try:
            yield from list(figures())
        except Exception:
            log.exception("figures cannot be told: %s", figures.__name__)
            untold += 1
    yield _single("figures_untold", "Groups of figures that could not be told", untold)


def _counts() -> Iterator[GaugeMetricFamily]:
    overdue = lifecycle.overdue(Mailing.objects.all()).count()
    yield _single("mailings_overdue", "Mailings that came due while the system was down", overdue)
    yield _single("workers", "Processes that hold deliveries at present", health.workers())
    yield _single(
        "unknown_undecided", "Unknown deliveries that wait for a person", health.undecided()
    )


def _set_aside() -> Iterator[GaugeMetricFamily]:
    gauge = _gauge("set_aside", "What failed and is tried again later, by step", ["step"])
    rows = fence.shown(SetAside.objects.all()).order_by()
    counted = dict(rows.values_list("step").annotate(number=Count("pk")))
    for step in SetAside.Step:
        gauge.add_metric([step], counted.get(step, 0))
    yield gauge


def _mailings() -> Iterator[GaugeMetricFamily]:
    gauge = _gauge("mailings", "Mailings by kind and state", ["kind", "state"])
    counted = Mailing.objects.order_by().values("kind", "state").annotate(number=Count("pk"))
    for row in counted:
        gauge.add_metric([row["kind"], row["state"]], row["number"])
    yield gauge


def _deliveries() -> Iterator[GaugeMetricFamily]:
    gauge = _gauge("deliveries", "Deliveries of mailings under way, by state", ["mailing", "state"])
    under_way = Lease.objects.filter(mailing__state__in=health.UNDER_WAY).order_by()
    sums: Any = under_way.values("mailing").annotate(
        all=Sum("size"), **{f"sum_{state}": Sum(state) for state in COUNTED_STATES}
    )
    for row in sums:
        ended = {state: row[f"sum_{state}"] for state in COUNTED_STATES}
        waiting = {"waiting": max(0, row["all"] - sum(ended.values()))}
        for state, number in (ended | waiting).items():
            gauge.add_metric([str(row["mailing"]), state], number)
    yield gauge


def _lanes() -> Iterator[GaugeMetricFamily]:
    leases = _gauge("leases_open", "Open ranges of deliveries; letters: one each", ["lane"])
    oldest = _gauge("oldest_due_seconds", "How long the oldest due one waits", ["lane"])
    for lane in health.lanes():
        leases.add_metric([lane.name], lane.open)
        oldest.add_metric([lane.name], lane.oldest_due_seconds)
    yield leases
    yield oldest


def _of_senders() -> Iterator[GaugeMetricFamily]:
    stopped = Sender.objects.exclude(stopped_at=None).count()
    yield _single("senders_stopped", "Senders stopped until a person has looked", stopped)
    labels = ["sender", "receiver"]
    rate = _gauge("sent_per_second", "Sent a second over the last minute", labels)
    still = _gauge("receiver_stopped", "1 where a receiver asked to be left alone", labels)
    held_back = _gauge("held_back", "Held back within the last minute", labels)
    running = Mailing.objects.filter(state__in=health.UNDER_WAY).order_by()
    senders: list[Any] = list(running.values_list(F("sender"), flat=True).distinct()[:200])
    for sender, reading in pace.snapshots(senders).items():
        for receiver in reading.receivers:
            label_values = [str(sender), receiver.name]
            rate.add_metric(label_values, receiver.per_second_minute)
            still.add_metric(label_values, receiver.stopped_until is not None)
            held_back.add_metric(label_values, receiver.held)
    yield rate
    yield still
    yield held_back
