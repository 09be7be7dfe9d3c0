"""Reports: the numbers, against events made by hand."""

import uuid
from datetime import timedelta

import pytest
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from newsletter.models import Campaign, Delivery, Lease, Link, Mailing
from tests.cast import Cast
from tracking.models import Event
from tracking.reporting import totals


@pytest.fixture
def sent(cast: Cast) -> Campaign:
    """Return a campaign sent yesterday: four sent, one each failed, refused and unknown."""
    return send(cast)


def send(cast: Cast, age: timedelta = timedelta(hours=30)) -> Campaign:
    campaign = cast.campaign(
        state=Mailing.State.SENT,
        staged=6,
        left_out={"ended": 1, "pending": 2},
        started_at=now() - age,
        finished_at=now() - age,
    )
    shared = {"mailing": campaign, "handed_over_at": now() - age, "settled_at": now() - age}
    made = [
        Delivery.objects.create(registrant=person, **shared, **more)
        for person, more in (
            (cast.ada, {"state": "sent", "opens": True, "clicks": True}),
            (cast.ben, {"state": "sent", "opens": True}),
            (cast.cleo, {"state": "sent"}),
            (cast.dov, {"state": "refused", "refusal": "ended"}),
            (cast.eve, {"state": "failed", "code": 550, "answer": "550 no such mailbox"}),
            (cast.fay, {"state": "unknown", "opens": True, "clicks": True}),
        )
    ]
    Lease.objects.create(
        lane="campaigns", mailing=campaign, first=made[0].pk, last=made[-1].pk, size=6,
        sent=3, refused=1, failed=1, unknown=1,
    )  # fmt: skip
    for position in (0, 1):
        Link.objects.create(
            mailing=campaign, position=position, url=f"https://heron.example.org/{position}"
        )
    return campaign


def delivery(campaign: Mailing, person: str) -> Delivery:
    return Delivery.objects.get(mailing=campaign, registrant__address=f"{person}@example.net")


def happened(campaign: Mailing, person: str, kind: str, hours: float = 0.5, link: int = -1) -> None:
    """Note one event of a person, some hours after the start."""
    assert campaign.started_at
    Event.objects.create(
        key=uuid.uuid4(),
        kind=kind,
        delivery=delivery(campaign, person),
        mailing=campaign,
        link=None if link < 0 else Link.objects.get(mailing=campaign, position=link),
        at=campaign.started_at + timedelta(hours=hours),
    )


def test_deliveries_are_counted_by_state_and_reason(sent: Campaign) -> None:
    report = totals.report(sent)
    assert report.staged == 6
    counts = report.counts
    assert (counts.sent, counts.refused, counts.failed) == (3, 1, 1)
    assert (counts.unknown, counts.deferred, counts.waiting) == (1, 0, 0)
    assert counts.reasons == (("ended", "unsubscribed or ended", 1),)
    assert [tuple(reason) for reason in report.left_out] == [
        ("pending", "has not confirmed", 2),
        ("ended", "unsubscribed or ended", 1),
    ]


def test_people_and_times_are_told_apart(sent: Campaign) -> None:
    happened(sent, "ada", "opened")
    happened(sent, "ada", "opened", 2)
    happened(sent, "ben", "opened", 2)
    happened(sent, "ada", "clicked", 2, link=1)
    happened(sent, "ada", "clicked", 3, link=1)
    happened(sent, "ada", "clicked", 3, link=0)
    happened(sent, "cleo", "unsubscribed", 4)
    report = totals.report(sent)
    assert report.reaction == totals.Reaction(2, 3, 1, 3, 1)
    assert [(link.position, link.people, link.times) for link in report.links] == [
        (1, 1, 1),
        (2, 1, 2),
    ]


def test_rates_are_over_what_was_tracked_and_the_rest_is_stated(sent: Campaign) -> None:
    """L-46: of three sent, two carried a pixel and one measured links."""
    happened(sent, "ada", "opened")
    happened(sent, "ada", "clicked", link=0)
    report = totals.report(sent)
    assert (report.counts.tracked_opens, report.counts.tracked_clicks) == (2, 1)
    assert report.open_rate == pytest.approx(1 / 2)
    assert report.click_rate == pytest.approx(1)
    assert report.opens_untracked == pytest.approx(1 / 3)
    assert report.clicks_untracked == pytest.approx(2 / 3)
    assert report.unsubscribe_rate == 0


def test_nothing_tracked_gives_no_rate_rather_than_nought(cast: Cast) -> None:
    report = totals.report(cast.campaign())
    assert report.open_rate is None
    assert report.opens_untracked is None
    assert report.series == ()
    assert report.counts == totals.Counts()


def test_the_series_is_hourly_and_has_no_gaps(sent: Campaign) -> None:
    happened(sent, "ada", "opened", 0.5)
    happened(sent, "ben", "opened", 3.5)
    happened(sent, "ada", "clicked", 3.6, link=0)
    report = totals.report(sent)
    assert report.step == timedelta(hours=1)
    assert [(bucket.opened, bucket.clicked) for bucket in report.series] == [
        (1, 0),
        (0, 0),
        (0, 0),
        (1, 1),
    ]


def test_the_series_is_by_the_minute_while_young_and_by_the_day_when_old(cast: Cast) -> None:
    young = send(cast, timedelta(minutes=10))
    happened(young, "ada", "opened", 5 / 60)
    report = totals.report(young)
    assert report.step == timedelta(minutes=1)
    assert 10 <= len(report.series) <= 12
    assert sum(bucket.opened for bucket in report.series) == 1
    old = send(cast, timedelta(days=40))
    happened(old, "ada", "opened", 24 * 30)
    report = totals.report(old)
    assert (report.step, len(report.series)) == (timedelta(days=1), 31)


def test_another_mailing_in_the_same_stretch_of_the_ledger_is_not_counted(
    cast: Cast, sent: Campaign
) -> None:
    other = send(cast)
    Lease.objects.filter(mailing=sent).update(last=Lease.objects.get(mailing=other).last)
    happened(other, "ada", "opened")
    report = totals.report(sent)
    assert report.counts.sent == 3
    assert report.reaction == totals.Reaction()


def test_a_report_takes_as_many_statements_however_many_people(
    sent: Campaign, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(7):
        totals.report(sent)
