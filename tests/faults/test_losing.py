"""Redis forgets everything, tasks come ten times, the mail server goes away: it ends right."""

import time

import pytest
import redis

from config.celery import app
from newsletter import approving
from newsletter.models import Campaign, Mailing
from tests.cast import Cast
from tests.faults.conftest import add_readers
from tests.faults.workers import CONNECTIONS, Line, states, wait_until

pytestmark = pytest.mark.xdist_group("faults")

READERS = 2_500


def begin(line: Line, cast: Cast, *, per_second: float, children: int = 1) -> Campaign:
    """Start the line and a campaign; return once its first mails have been accepted."""
    add_readers(cast, READERS)
    line.start_mail(per_second)
    line.start_workers(children=children)
    campaign = cast.campaign()
    approving.send_now(mailing=campaign, staff=None)
    wait_until(lambda: line.count() > 50, 20, line.logs)
    return campaign


def everybody_got_one(line: Line) -> bool:
    """Whether everybody on the list got exactly one mail."""
    accepted = line.accepted()
    return len(accepted) == READERS + 1 and max(accepted.values()) == 1


def waits(campaign: Mailing) -> bool:
    """Whether a mailing says that it waits for its mail server."""
    campaign.refresh_from_db()
    return "mail server" in campaign.waiting_reason and campaign.waiting_until is not None


def test_a_redis_that_forgets_everything_is_healed_by_the_next_tick(
    line: Line, cast: Cast, valkey: redis.Redis
) -> None:
    """AT-C4, C-8: the database is the truth, Celery is a wake-up."""
    campaign = begin(line, cast, per_second=400)
    for _ in range(5):
        valkey.flushall()
        time.sleep(0.5)
    assert line.count() < READERS, "it was over before Redis had forgotten"
    line.wait_for(campaign, "sent", patience=25)
    assert everybody_got_one(line)
    print(f"5 FLUSHALL: {len(states(campaign))} deliveries, all sent once")


def test_the_same_task_ten_times_at_once_doubles_nothing(line: Line, cast: Cast) -> None:
    """C-1, AT-C2: four processes take the same wake-up as often as it comes."""
    campaign = begin(line, cast, per_second=500, children=4)
    for _ in range(3):
        for _ in range(10):
            app.send_task("newsletter.tasks.send_campaigns", task_id="the same")
        time.sleep(0.5)
    assert line.count() < READERS, "it was over before the tasks came"
    line.wait_for(campaign, "sent", patience=25)
    assert everybody_got_one(line)
    connections = {each.connection for each in line.seen() if each.what == "accepted"}
    assert len(connections) > CONNECTIONS, "one process sent it all: nothing was at once"
    print(f"3 × 10 tasks: {len(states(campaign))} sent once, {len(connections)} connections")


def test_a_mail_server_that_is_away_at_the_start_is_waited_for(line: Line, cast: Cast) -> None:
    add_readers(cast, READERS)
    line.start_workers()
    campaign = cast.campaign()
    approving.send_now(mailing=campaign, staff=None)
    wait_until(lambda: waits(campaign), 20, line.logs)
    assert campaign.state == "sending"
    assert set(states(campaign).values()) <= {"staged", "handing_over"}
    line.start_mail(per_second=0)
    line.wait_for(campaign, "sent", patience=25)
    assert everybody_got_one(line)
    assert campaign.waiting_reason == ""


def test_a_mail_server_that_goes_away_in_the_middle_is_waited_for(line: Line, cast: Cast) -> None:
    campaign = begin(line, cast, per_second=400)
    line.kill("mail")
    wait_until(lambda: waits(campaign), 20, line.logs)
    line.start_mail(per_second=0)
    line.wait_until_nothing_goes(campaign, patience=30)

    ended, accepted = states(campaign), line.accepted()
    sent = {address for address, state in ended.items() if state == "sent"}
    unknown = set(ended) - sent
    assert {ended[address] for address in unknown} <= {"unknown"}
    assert len(unknown) <= CONNECTIONS
    assert max(accepted.values()) == 1
    assert sent <= set(accepted) <= set(ended)
    assert len(ended) == READERS + 1
    campaign.refresh_from_db()
    assert campaign.waiting_reason == ""
    print(f"mail server killed: {len(sent)} sent, {len(unknown)} unknown")
