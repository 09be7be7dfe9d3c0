"""How a run goes: receiver by receiver, over time, why it waits, and in the servers' words."""

from datetime import timedelta

import pytest
import redis
from django.db import connection
from django.utils.timezone import now
from pytest_django import Settings

from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Lease, Mailing
from newsletter.monitoring import run_details
from tests.cast import Cast
from tests.moves import any_move
from tests.newsletter.delivery.test_resolving_unknown import LOST, give_back, with_unknown

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(cast: Cast, valkey: redis.Redis) -> Mailing:
    """Return a campaign under way, with an answer of every kind."""
    campaign = with_unknown(cast, lost=2, cut=0, sent=6)
    answers = [
        ("failed", 550, "No such user here", 1),
        ("failed", 550, "No such user here", 1),
        ("deferred", 451, "Local error", 2),
        ("deferred", None, "held back: warm-up, 500 a day", 2),
    ]
    rows = Delivery.objects.filter(mailing=campaign, state="sent").order_by("pk")
    for row, (state, code, answer, receiver) in zip(rows, answers, strict=False):
        row.state, row.code, row.answer, row.receiver = state, code, answer, receiver
        row.due_at = now() + timedelta(hours=1) if state == "deferred" else None
        with any_move():
            row.save()
    rows.filter(receiver=None).update(receiver=1)
    give_back()
    return campaign


def test_receivers_are_told_apart_the_largest_first(campaign: Mailing) -> None:
    receivers = run_details.run_details(campaign).receivers
    assert [
        (receiver.name, receiver.sent, receiver.deferred, receiver.failed) for receiver in receivers
    ] == [
        ("Gmail", 2, 0, 2),
        ("Outlook.com", 0, 2, 0),
    ]


def test_what_servers_said_is_shown_once_with_how_often_and_never_what_was_held_back(
    campaign: Mailing,
) -> None:
    replies = run_details.run_details(campaign).replies
    assert {
        (reply.state, reply.receiver, reply.code, reply.words, reply.times) for reply in replies
    } == {
        ("failed", "Gmail", 550, "No such user here", 2),
        ("deferred", "Outlook.com", 451, "Local error", 1),
        ("unknown", "", None, LOST, 2),
    }


def test_the_next_of_the_deferred_and_the_workers_are_named(campaign: Mailing) -> None:
    details = run_details.run_details(campaign)
    assert details.workers == 0
    assert details.next_due is not None
    assert timedelta(minutes=55) < details.next_due - now() < timedelta(minutes=65)
    Lease.objects.update(worker="one:7", attempt=1, until=now() + timedelta(minutes=1))
    details = run_details.run_details(campaign)
    assert (details.workers, details.connections) == (1, 4)


def reasons_given(campaign: Mailing) -> str:
    return " ".join(reason.words for reason in run_details.run_details(campaign).reasons)


def test_it_says_why_it_waits(campaign: Mailing) -> None:
    assert reasons_given(campaign) == ""
    campaign.waiting_reason = "The mail server broke off"
    campaign.sender.stopped_at, campaign.sender.stopped_reason = now(), "535 Wrong password"
    campaign.sender.quiet_from = (now() - timedelta(minutes=5)).time()
    campaign.sender.quiet_until = (now() + timedelta(minutes=5)).time()
    reasons = reasons_given(campaign)
    for reason in ("broke off", "was stopped: 535 Wrong password", "quiet hours"):
        assert reason in reasons


def test_a_run_nobody_works_at_is_told_after_a_while(campaign: Mailing) -> None:
    Lease.objects.update(due_at=now() - timedelta(minutes=1))
    assert "No worker is at it" in reasons_given(campaign)
    Lease.objects.update(worker="one:7", attempt=1, until=now() + timedelta(minutes=1))
    assert reasons_given(campaign) == ""


def test_without_redis_it_says_that_it_goes_slowly(campaign: Mailing, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert "Redis cannot be asked" in reasons_given(campaign)


def test_what_is_over_waits_for_nothing(campaign: Mailing) -> None:
    lifecycle.cancel(mailing=campaign, staff=1)
    campaign.waiting_reason = "old words"
    details = run_details.run_details(campaign)
    assert (details.reasons, details.workers) == ([], 0)


def test_the_rate_over_the_run_is_drawn_where_there_is_enough_of_it(campaign: Mailing) -> None:
    assert run_details.run_details(campaign).curve is None
    began = now() - timedelta(seconds=100)
    campaign.started_at, campaign.finished_at = began, began + timedelta(seconds=100)
    for number in range(20):
        Lease.objects.create(
            lane="campaigns", mailing=campaign, first=1, last=500, size=500,
            closed_at=began + timedelta(seconds=5 * number + 1),
        )  # fmt: skip
    curve = run_details.run_details(campaign).curve
    assert curve is not None
    assert curve.most == pytest.approx(100, rel=0.01)
    assert len(curve.points.split()) == 10


def test_what_was_said_is_found_along_the_ranges_and_never_by_a_scan(campaign: Mailing) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {run_details.RECENT_REPLIES}", [campaign.pk])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "newsletter_delivery_pkey" in plan
    assert "Seq Scan on newsletter_delivery" not in plan
