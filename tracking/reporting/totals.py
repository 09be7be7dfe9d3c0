"""What a mailing adds up to: counts, rates over what was measured, and a series over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max
from django.utils.timezone import now

from newsletter.mailings import delivery_sql
from newsletter.models import Delivery, Link, Mailing
from registrants.gate import Refusal
from tracking.models import Event

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
YOUNG = timedelta(hours=3)
"""Until a mailing is this old its chart counts by the minute."""
HOURLY = timedelta(days=7)
"""From here on a chart by the hour would have too many points to be read."""
LONGEST_SERIES = timedelta(days=366)

PEOPLE_BY_KIND = """
SELECT kind, count(*), sum(times) FROM (
    SELECT kind, delivery_id, count(*) AS times FROM tracking_event
    WHERE mailing_id = %s GROUP BY 1, 2) AS by_delivery
GROUP BY 1
"""
LINKS = """
SELECT link_id, count(*), sum(times) FROM (
    SELECT link_id, delivery_id, count(*) AS times FROM tracking_event
    WHERE mailing_id = %s AND kind = 'clicked' GROUP BY 1, 2) AS by_delivery
GROUP BY 1
"""
SERIES = """
SELECT date_bin(%s, at, %s), kind, count(*) FROM tracking_event
WHERE mailing_id = %s AND at >= %s AND at < %s GROUP BY 1, 2
"""


class RefusalCount(NamedTuple):
    """Why people did not get it, and how many."""

    code: str
    label: str
    count: int  # type: ignore[assignment]  # a field of its own stands before tuple's method


class LinkResult(NamedTuple):
    """One link, who followed it and how often."""

    position: int
    url: str
    people: int
    times: int


class Bucket(NamedTuple):
    """What happened in one step of the series."""

    at: datetime
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0


@dataclass(frozen=True)
class Counts:
    """How the deliveries of a mailing stand; tracked ones are counted among the sent."""

    sent: int = 0
    refused: int = 0
    failed: int = 0
    deferred: int = 0
    unknown: int = 0
    waiting: int = 0
    tracked_opens: int = 0
    tracked_clicks: int = 0
    reasons: tuple[RefusalCount, ...] = ()


@dataclass(frozen=True)
class Reaction:
    """What came back: people, and times where one person can do it again."""

    opened_people: int = 0
    opened_times: int = 0
    clicked_people: int = 0
    clicked_times: int = 0
    unsubscribed: int = 0


@dataclass(frozen=True)
class Summary:
    """The numbers of one mailing and the rates over them (L-46); a rate is None over nothing."""

    counts: Counts
    reaction: Reaction

    @property
    def open_rate(self) -> float | None:
        """Return opened people over the sent mails that carried a pixel, 0 to 1."""
        return share(self.reaction.opened_people, self.counts.tracked_opens)

    @property
    def click_rate(self) -> float | None:
        """Return people who clicked over the sent mails with measured links, 0 to 1."""
        return share(self.reaction.clicked_people, self.counts.tracked_clicks)

    @property
    def unsubscribe_rate(self) -> float | None:
        """Return people who unsubscribed over all mails sent, 0 to 1."""
        return share(self.reaction.unsubscribed, self.counts.sent)

    @property
    def opens_untracked(self) -> float | None:
        """Return the share of sent mails without a pixel, 0 to 1."""
        return share(self.counts.sent - self.counts.tracked_opens, self.counts.sent)

    @property
    def clicks_untracked(self) -> float | None:
        """Return the share of sent mails without measured links, 0 to 1."""
        return share(self.counts.sent - self.counts.tracked_clicks, self.counts.sent)


def read_summary(fields: dict) -> Summary:
    """Return the summary that was kept as JSON, field by field."""
    reasons = tuple(RefusalCount(*reason) for reason in fields["counts"]["reasons"])
    return Summary(
        counts=Counts(**fields["counts"] | {"reasons": reasons}),
        reaction=Reaction(**fields["reaction"]),
    )


@dataclass(frozen=True)
class ReportTotals(Summary):
    """All there is to say about one mailing."""

    staged: int
    left_out: tuple[RefusalCount, ...]
    links: tuple[LinkResult, ...]
    step: timedelta
    series: tuple[Bucket, ...]


def share(part: int, whole: int) -> float | None:
    """Return part of whole, at most 1; None where there is no whole."""
    return min(part / whole, 1.0) if whole > 0 else None


def report(mailing: Mailing) -> ReportTotals:
    """Add up one mailing; four statements, each one pass over the mailing's own rows."""
    step, series = _series(mailing)
    return ReportTotals(
        staged=mailing.staged or 0,
        left_out=_reasons(mailing.left_out),
        counts=counts(mailing),
        reaction=reaction(mailing),
        links=_links(mailing),
        step=step,
        series=series,
    )


def summary(mailing: Mailing) -> Summary:
    """Return the numbers and rates of one mailing, without links and series."""
    return Summary(counts=counts(mailing), reaction=reaction(mailing))


def counts(mailing: Mailing) -> Counts:
    """Count how the deliveries of a mailing stand."""
    states = dict.fromkeys(Delivery.State, 0)
    refused: dict[str, int] = {}
    tracked = [0, 0]
    for state, refusal, opens, clicks, count in delivery_sql.delivery_counts(mailing.pk):
        states[state] += count
        if state == Delivery.State.REFUSED:
            refused[refusal] = refused.get(refusal, 0) + count
        if state == Delivery.State.SENT:
            tracked[0] += count * opens
            tracked[1] += count * clicks
    waiting = states.pop(Delivery.State.STAGED) + states.pop(Delivery.State.HANDING_OVER)
    return Counts(
        **{str(state): count for state, count in states.items()},
        waiting=waiting,
        tracked_opens=tracked[0],
        tracked_clicks=tracked[1],
        reasons=_reasons(refused),
    )


def reaction(mailing: Mailing) -> Reaction:
    """Count what came back for a mailing."""
    reactions = {
        kind: (people, int(times)) for kind, people, times in _rows(PEOPLE_BY_KIND, [mailing.pk])
    }
    opened = reactions.get(Event.Kind.OPENED, (0, 0))
    clicked = reactions.get(Event.Kind.CLICKED, (0, 0))
    return Reaction(*opened, *clicked, reactions.get(Event.Kind.UNSUBSCRIBED, (0, 0))[0])


def refusal_label(code: str) -> str:
    """Return a refusal in words; one that is no longer known stands for itself."""
    return Refusal(code).label if code in Refusal.values else code


def _reasons(refused: Mapping[str, int]) -> tuple[RefusalCount, ...]:
    ordered = sorted(refused.items(), key=lambda reason: (-reason[1], reason[0]))
    return tuple(RefusalCount(code, refusal_label(code), count) for code, count in ordered)


def _links(mailing: Mailing) -> tuple[LinkResult, ...]:
    clicks = {link: (people, int(times)) for link, people, times in _rows(LINKS, [mailing.pk])}
    return tuple(
        LinkResult(link.position + 1, link.url, *clicks.get(link.pk, (0, 0)))
        for link in Link.objects.filter(mailing=mailing)
    )


def _series(mailing: Mailing) -> tuple[timedelta, tuple[Bucket, ...]]:
    """Return the step and every bucket from the start to the last event (or now, while young)."""
    began = mailing.started_at
    if began is None:
        return HOUR, ()
    began, age = began.replace(second=0, microsecond=0), now() - began
    last = Event.objects.filter(mailing=mailing).aggregate(last=Max("at"))["last"]
    step = MINUTE if age < YOUNG else HOUR
    until = now() if age < YOUNG else max(last or began, began)
    if until - began > HOURLY:
        step, until = DAY, min(until, began + LONGEST_SERIES)
    size = int((until - began) / step) + 1
    rows = _rows(SERIES, [step, began, mailing.pk, began, began + size * step])
    steps: dict[datetime, dict[str, int]] = {}
    for at, kind, count in rows:
        steps.setdefault(at, {})[kind] = count
    moments = (began + number * step for number in range(size))
    return step, tuple(Bucket(at, **steps.get(at, {})) for at in moments)


def _rows(statement: str, params: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
