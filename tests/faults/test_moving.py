"""Pause, go on and cancel under real workers: each within two seconds, and after a restart too."""

import time

import pytest
from django.utils.timezone import now

from newsletter.mailings import lifecycle
from newsletter.models import Mailing
from newsletter.monitoring import health
from tests.cast import Cast
from tests.faults.books import Keeper
from tests.faults.conftest import add_readers
from tests.faults.patience import TIME_LIMIT, wait_until
from tests.faults.workers import Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]
WITHIN = 2.0


def last_accepted(line: Line) -> float:
    """Return when the mail server last took a mail."""
    return max(line.mail.at("accepted").values())


def all_were_heard_within(seconds: float) -> bool:
    """Tell whether the timetable and all workers said lately that they are alive."""
    silences = health.silences() or {}
    return len(silences) == len(health.BEATS) and all(
        silence is not None and silence < seconds for silence in silences.values()
    )


def test_pause_go_on_and_cancel_hold_within_two_seconds_and_over_a_restart(
    line: Line, cast: Cast
) -> None:
    """C-12: what is on the wire ends, nothing new begins."""
    add_readers(cast, 6_000)
    line.start_mail(400)
    line.start_workers()
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    lifecycle.send_now(mailing=campaign, staff=None)
    wait_until(lambda: line.mail.count() > 200, 20, line.logs)

    lifecycle.pause(mailing=campaign, staff=None)
    paused = time.time()
    time.sleep(WITHIN + 1.5)
    ended = last_accepted(line) - paused
    assert ended < WITHIN
    for name in ("bulk", "letters", "beat"):
        line.kill(name)
    line.start_workers()
    began = time.monotonic()
    wait_until(lambda: all_were_heard_within(time.monotonic() - began - 1), 30, line.logs)
    before = line.mail.count()
    time.sleep(2)
    assert line.mail.count() == before, "a restart made it go on"

    lifecycle.resume(mailing=campaign, staff=None)
    gone_on = time.time()
    wait_until(lambda: line.mail.count() > before, WITHIN, line.logs)
    print(f"paused after {ended:.2f} s, on again after {time.time() - gone_on:.2f} s")
    time.sleep(1)

    lifecycle.cancel(mailing=campaign, staff=None)
    cancelled = time.time()
    time.sleep(WITHIN + 1.5)
    assert last_accepted(line) - cancelled < WITHIN
    assert line.mail.count() < 6_000, "it was over before"
    line.wait_until_nothing_goes(campaign, patience=20)
    books = keeper.books()
    assert books.doubled == set()
    assert books.of("sent") == set(books.accepted)
    assert {e.state for e in books.entries.values()} == {"sent", "refused"}
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.CANCELLED
    assert campaign.finished_at is not None
    assert campaign.finished_at <= now()
