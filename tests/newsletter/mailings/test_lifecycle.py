"""The mailing's life: every move guarded by the state it starts from."""

import threading
import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest
import redis
import time_machine
from django.db import connection
from django.utils.timezone import now

from accountability.models import AuditEntry
from newsletter.mailings import lifecycle
from newsletter.mailings.lifecycle import NotPossible
from newsletter.models import Mailing
from newsletter.pace import breakers
from newsletter.transports import Outcome
from tests.cast import Cast


def test_two_people_pressing_send_start_it_once(cast: Cast) -> None:
    campaign = cast.campaign()
    twin = Mailing.objects.get(pk=campaign.pk)
    lifecycle.send_now(mailing=campaign, staff=1)
    with pytest.raises(NotPossible, match="Somebody"):
        lifecycle.send_now(mailing=twin, staff=2)
    assert AuditEntry.objects.filter(act="send").count() == 1


def test_a_time_that_is_past_is_refused(cast: Cast) -> None:
    with pytest.raises(NotPossible, match="past"):
        lifecycle.schedule(mailing=cast.campaign(), at=now() - timedelta(minutes=1), staff=1)


def test_what_is_scheduled_starts_when_its_time_comes_and_once(cast: Cast) -> None:
    campaign = cast.campaign()
    lifecycle.schedule(mailing=campaign, at=now() + timedelta(hours=1), staff=1)
    assert lifecycle.start_due() == 0
    Mailing.objects.filter(pk=campaign.pk).update(scheduled_at=now())
    assert lifecycle.start_due() == 1
    assert lifecycle.start_due() == 0


def scheduled(cast: Cast, ago: timedelta) -> Mailing:
    campaign = cast.campaign()
    lifecycle.schedule(mailing=campaign, at=now() + timedelta(hours=1), staff=1)
    Mailing.objects.filter(pk=campaign.pk).update(scheduled_at=now() - ago)
    campaign.refresh_from_db()
    return campaign


def test_that_the_system_started_it_is_in_the_audit_trail(cast: Cast) -> None:
    scheduled(cast, timedelta(minutes=59))
    assert lifecycle.start_due() == 1
    assert AuditEntry.objects.get(act="start").staff is None


def test_what_came_due_more_than_an_hour_ago_waits_for_a_person(cast: Cast) -> None:
    campaign = scheduled(cast, timedelta(minutes=61))
    assert lifecycle.start_due() == 0
    assert lifecycle.is_overdue(campaign)
    lifecycle.send_now(mailing=campaign, staff=1)
    assert campaign.state == Mailing.State.STAGING
    assert not lifecycle.is_overdue(campaign)


def test_what_is_overdue_can_get_another_time(cast: Cast) -> None:
    campaign = scheduled(cast, timedelta(days=3))
    lifecycle.schedule(mailing=campaign, at=now() + timedelta(hours=1), staff=1)
    assert not lifecycle.is_overdue(campaign)
    assert lifecycle.start_due() == 0


def test_what_is_not_overdue_is_not_started_before_its_time(cast: Cast) -> None:
    campaign = scheduled(cast, -timedelta(minutes=5))
    assert not lifecycle.is_overdue(campaign)
    with pytest.raises(NotPossible, match="scheduled by now"):
        lifecycle.send_now(mailing=campaign, staff=1)
    with pytest.raises(NotPossible, match="scheduled by now"):
        lifecycle.schedule(mailing=campaign, at=now() + timedelta(hours=1), staff=1)


def test_a_scheduled_one_can_become_a_draft_again(cast: Cast) -> None:
    campaign = cast.campaign()
    lifecycle.schedule(mailing=campaign, at=now() + timedelta(hours=1), staff=1)
    lifecycle.unschedule(mailing=campaign, staff=1)
    assert campaign.state == Mailing.State.DRAFT
    assert campaign.scheduled_at is None


def test_a_draft_cannot_be_paused_and_a_cancelled_one_not_resumed(cast: Cast) -> None:
    campaign = cast.campaign()
    with pytest.raises(NotPossible):
        lifecycle.pause(mailing=campaign, staff=1)
    lifecycle.send_now(mailing=campaign, staff=1)
    lifecycle.cancel(mailing=campaign, staff=1)
    with pytest.raises(NotPossible):
        lifecycle.resume(mailing=campaign, staff=1)


def test_paused_before_staging_it_is_staged_when_resumed(cast: Cast) -> None:
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=1)
    lifecycle.pause(mailing=campaign, staff=1)
    lifecycle.resume(mailing=campaign, staff=1)
    assert campaign.state == Mailing.State.STAGING


def test_of_two_workers_that_see_the_same_one_stops_it_and_says_why(cast: Cast) -> None:
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=1)
    assert lifecycle.stop(mailing=campaign.pk, reason="20 mails in a row were not taken")
    assert not lifecycle.stop(mailing=campaign.pk, reason="another said the same")
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.PAUSED
    assert "20 mails in a row" in campaign.waiting_reason
    entry = AuditEntry.objects.get(act="stop")
    assert entry.staff is None
    assert entry.detail == {"why": "20 mails in a row were not taken"}


def test_what_a_person_paused_is_not_stopped_over_it(cast: Cast) -> None:
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=1)
    lifecycle.pause(mailing=campaign, staff=1)
    assert not lifecycle.stop(mailing=campaign.pk, reason="too late")
    campaign.refresh_from_db()
    assert campaign.waiting_reason == ""


@pytest.mark.django_db(transaction=True)
def test_going_on_forgets_what_stopped_it(cast: Cast, valkey: redis.Redis) -> None:
    campaign = cast.campaign()
    refused = Outcome(1, "failed", 554, "5.7.1", "Message rejected as spam")
    lifecycle.send_now(mailing=campaign, staff=1)
    lifecycle.stop(
        mailing=campaign.pk,
        reason=breakers.record(campaign.sender_id, campaign.pk, [refused] * 10),
    )
    campaign.refresh_from_db()
    assert "Message rejected as spam" in campaign.waiting_reason
    lifecycle.resume(mailing=campaign, staff=1)
    assert breakers.record(campaign.sender_id, campaign.pk, [refused] * 9) == ""


@pytest.mark.django_db(transaction=True)
def test_two_timetables_at_the_same_moment_start_it_once(cast: Cast) -> None:
    campaigns = [scheduled(cast, timedelta(minutes=1)) for _ in range(10)]
    together = threading.Barrier(4)
    started: list[int] = []

    def tick() -> None:
        together.wait()
        started.append(lifecycle.start_due())
        connection.close()

    timetables = [threading.Thread(target=tick) for _ in range(4)]
    for timetable in timetables:
        timetable.start()
    for timetable in timetables:
        timetable.join()
    assert sum(started) == len(campaigns)
    assert AuditEntry.objects.filter(act="start").count() == len(campaigns)


def test_a_clock_that_jumps_back_and_forth_starts_it_once(cast: Cast) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 9, 0, tzinfo=UTC), tick=False) as clock:
        campaign = cast.campaign()
        lifecycle.schedule(mailing=campaign, at=now() + timedelta(minutes=30), staff=1)
        started = []
        for minutes in (29, 2, -20, 19, 1, -45, 90):
            clock.shift(timedelta(minutes=minutes))
            started.append(lifecycle.start_due())
    assert started == [0, 1, 0, 0, 0, 0, 0]


def test_a_clock_that_jumps_over_it_by_hours_leaves_it_to_a_person(cast: Cast) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 9, 0, tzinfo=UTC), tick=False) as clock:
        campaign = cast.campaign()
        lifecycle.schedule(mailing=campaign, at=now() + timedelta(minutes=30), staff=1)
        clock.shift(timedelta(hours=3))
        assert lifecycle.start_due() == 0
        assert lifecycle.is_overdue(campaign)
        clock.shift(timedelta(hours=-2, minutes=-20))
        assert lifecycle.start_due() == 1


def test_a_time_that_comes_twice_counts_the_first_time_and_once(cast: Cast) -> None:
    """Clocks in Vienna went back from 3:00 to 2:00 on 25 October 2026: 2:30 came twice."""
    vienna = zoneinfo.ZoneInfo("Europe/Vienna")
    with time_machine.travel(datetime(2026, 10, 24, 12, 0, tzinfo=UTC), tick=False) as clock:
        campaign = cast.campaign()
        at = datetime(2026, 10, 25, 2, 30, tzinfo=vienna)
        lifecycle.schedule(mailing=campaign, at=at, staff=1)
        started = {}
        clock.move_to(datetime(2026, 10, 25, 0, 0, tzinfo=UTC))
        for _ in range(24):
            if lifecycle.start_due():
                started[f"{now():%H:%M}"] = f"{now().astimezone(vienna):%H:%M %Z}"
            clock.shift(timedelta(minutes=5))
    assert started == {"00:30": "02:30 CEST"}
