"""Redis forgets everything, tasks come ten times, the mail server goes away: it ends right."""

import time

import redis

from config.celery import app
from newsletter import approving
from newsletter.models import Delivery
from tests.cast import Cast
from tests.faults.conftest import Line, add_readers

READERS = 2_500


def test_a_flushed_redis_and_tasks_ten_times_over_double_nothing(
    line: Line, cast: Cast, valkey: redis.Redis
) -> None:
    """AT-C4, C-1: the database is the truth, Celery is a wake-up."""
    add_readers(cast, READERS)
    line.start_mail(per_second=400)
    line.start_workers()
    campaign = cast.campaign()
    approving.send_now(mailing=campaign, staff=None)
    while not line.accepted():
        time.sleep(0.05)
    valkey.flushdb()
    for _ in range(10):
        app.send_task("newsletter.tasks.send_campaigns")
    time.sleep(1)
    valkey.flushdb()
    line.wait_for(campaign, "sent", patience=60)
    counts = line.counts()
    assert len(counts) == READERS + 1
    assert max(counts.values()) == 1


def test_a_mail_server_that_goes_away_in_the_middle_is_waited_for(line: Line, cast: Cast) -> None:
    add_readers(cast, READERS)
    line.start_mail(per_second=400)
    line.start_workers()
    campaign = cast.campaign()
    approving.send_now(mailing=campaign, staff=None)
    while len(line.accepted()) < 300:
        time.sleep(0.05)
    line.kill("mail")
    deadline = time.monotonic() + 20
    while not campaign.waiting_reason and time.monotonic() < deadline:
        time.sleep(0.1)
        campaign.refresh_from_db()
    assert "mail server" in campaign.waiting_reason
    line.start_mail(per_second=800)
    deadline = time.monotonic() + 50
    while time.monotonic() < deadline and (
        Delivery.objects.filter(state__in=("staged", "handing_over")).exists()
    ):
        time.sleep(0.2)
    counts = line.counts()
    rows = dict(Delivery.objects.values_list("registrant__address", "state"))
    assert set(rows.values()) <= {"sent", "unknown"}
    assert max(counts.values()) == 1
    assert {address for address, state in rows.items() if state == "sent"} <= set(counts)
