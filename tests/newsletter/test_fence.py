"""The fence: what is the system's own, how long things wait, what fails as a whole."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils.timezone import now
from psycopg.errors import AdminShutdown

from newsletter import fence, tasks
from newsletter.delivery import recovering, staging
from newsletter.mailings import lifecycle
from newsletter.models import Mailing, SetAside
from tests.cast import Cast
from tests.newsletter.delivery.breaking import (
    BREAKS,
    Others,
    Step,
    broken,
    by_database,
    due_now,
    tick,
)
from tests.newsletter.delivery.conftest import others as others  # another client
from tests.scripted_smtp import ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_database_that_is_away_makes_no_mailing_faulty(
    cast: Cast, smtp: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    monkeypatch.setattr(fence, "_answers", lambda: False)

    def away() -> None:
        raise OperationalError("the connection is lost")

    with broken(BREAKS["stage"], campaign.pk, away), pytest.raises(OperationalError):
        staging.stage_due()
    campaign.refresh_from_db()
    assert campaign.waiting_reason == ""
    assert not SetAside.objects.exists()


def test_a_connection_that_breaks_again_and_again_under_one_mailing_is_told_in_the_end(
    cast: Cast, others: Others, smtp: ScriptedSmtp
) -> None:
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    lifecycle.send_now(mailing=others.campaign, staff=None)

    def cut() -> None:
        raise OperationalError("terminating connection") from AdminShutdown()

    with broken(BREAKS["stage"], campaign.pk, cut):
        tick()
        assert smtp.delivered["olga@example.net"] == 1
        campaign.refresh_from_db()
        assert campaign.waiting_reason == ""
        assert not fence.shown(SetAside.objects.all()).exists()
        for _ in range(fence.SYSTEM_TRIES - 1):
            staging.stage_due()
        assert fence.shown(SetAside.objects.all()).exists()
    due_now()
    tick()
    assert smtp.delivered["ada@example.net"] == 1


def test_the_back_off_doubles_from_five_seconds_to_a_quarter_of_an_hour(cast: Cast) -> None:
    subject = fence.of_mailing(Step.SEND, cast.campaign())
    waits: list[int] = []
    for _ in range(12):
        with fence.Fence(Step.SEND).around(subject):
            raise KeyError("x")
        row = SetAside.objects.get()
        waits.append(round((row.due_at - row.last_at).total_seconds()))
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]
    assert SetAside.objects.get().times == 12


def test_the_timetable_goes_on_past_a_step_that_fails_as_a_whole(
    cast: Cast, valkey: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "recover", by_database)
    campaign = cast.campaign()
    lifecycle.schedule(mailing=campaign, at=now() + timedelta(seconds=0.05), staff=None)
    time.sleep(0.06)
    tasks.tend()
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.STAGING
    assert SetAside.objects.get().step == Step.RECOVER
