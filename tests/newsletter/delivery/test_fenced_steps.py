"""What fails unforeseen for one mailing holds up no other, and is seen and tried again.

Mirrors several: newsletter/delivery/worker.py, newsletter/delivery/staging.py.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from django.utils.timezone import now

from newsletter import fence
from newsletter.content.compiling import compile_mail
from newsletter.delivery import recovering, run, staging
from newsletter.mailings import lifecycle
from newsletter.mailings.source import source_of
from newsletter.models import Lease, Mailing, SetAside
from newsletter.rendering.renderer import Renderer
from newsletter.sandbox import UsedUp
from tests.cast import Cast, make_crowd
from tests.faults.conftest import database_url
from tests.newsletter.delivery.breaking import (
    A_TICK,
    BREAKS,
    Break,
    Others,
    Step,
    broken,
    by_database,
    due_now,
    tick,
    unforeseen,
)
from tests.scripted_smtp import ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("place", "fault"),
    [(name, (unforeseen, by_database)[number % 2]) for number, name in enumerate(BREAKS)],
)
def test_one_mailing_that_fails_is_set_aside_and_the_others_go_on(
    cast: Cast, others: Others, smtp: ScriptedSmtp, place: str, fault: Callable[[], None]
) -> None:
    where, campaign = BREAKS[place], cast.campaign()
    for mailing in (campaign, others.campaign):
        if where.step == Step.START:
            lifecycle.schedule(mailing=mailing, at=now() + timedelta(seconds=0.05), staff=None)
        else:
            lifecycle.send_now(mailing=mailing, staff=None)
    time.sleep(0.06 if where.step == Step.START else 0)
    with broken(where, campaign.pk, fault) as tries:
        assert tick() < A_TICK
        assert smtp.delivered["olga@example.net"] == 1
        others.campaign.refresh_from_db()
        assert others.campaign.state == Mailing.State.SENT
        times = len(tries)
        assert times > 0
        campaign.refresh_from_db()
        if campaign.state == Mailing.State.SENT:  # its journal put all of it right
            assert place in ("settle", "give back")
            assert smtp.delivered["ada@example.net"] == 1
            assert not fence.shown(SetAside.objects.all()).exists()
            return
        row = SetAside.objects.get()
        assert (row.step, row.mailing, row.client) == (where.step, campaign, cast.client)
        assert campaign.waiting_reason == row.reason
        assert campaign.waiting_until == row.due_at
        assert "unforeseen" in row.reason
        assert "@" not in row.reason
        assert "secret" not in row.reason
        tick()
        assert len(tries) == times, "it is not tried before its time"
    due_now()
    tick()
    campaign.refresh_from_db()
    assert (campaign.state, campaign.waiting_reason) == (Mailing.State.SENT, "")
    assert smtp.delivered["ada@example.net"] == 1
    assert not SetAside.objects.exists()


def test_a_mailing_that_cannot_be_called_sent_holds_up_no_other(
    cast: Cast, others: Others, smtp: ScriptedSmtp
) -> None:
    campaign = cast.campaign()
    for mailing in (campaign, others.campaign):
        lifecycle.send_now(mailing=mailing, staff=None)
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE newsletter_mailing ADD CONSTRAINT injected"
            f" CHECK (id <> {campaign.pk} OR state <> 'sent')"
        )
    try:
        tick()
        others.campaign.refresh_from_db()
        assert others.campaign.state == Mailing.State.SENT
        assert SetAside.objects.get().step == Step.FINISH
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE newsletter_mailing DROP CONSTRAINT injected")


def test_more_links_than_have_room_stop_no_other_mailing(
    cast: Cast, others: Others, smtp: ScriptedSmtp
) -> None:
    campaign = cast.campaign()
    many = [f"https://heron.example.org/{number}" for number in range(32_770)]
    compiled = replace(compile_mail(source_of(campaign)), links=many)
    lifecycle.send_now(mailing=campaign, staff=None)
    lifecycle.send_now(mailing=others.campaign, staff=None)
    Mailing.objects.filter(pk=campaign.pk).update(compiled=compiled.dump())
    tick()
    assert smtp.delivered["olga@example.net"] == 1
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.STAGING
    assert "smallint" in campaign.waiting_reason


def test_time_used_up_counts_as_a_fault_at_the_third_try(cast: Cast, others: Others) -> None:
    campaign = cast.campaign()
    for mailing in (campaign, others.campaign):
        lifecycle.send_now(mailing=mailing, staff=None)

    def used_up() -> None:
        raise UsedUp("time")

    with broken(BREAKS["compile"], campaign.pk, used_up) as tries:
        for number in (1, 2):
            staging.stage_due()
            staging.stage_due()
            campaign.refresh_from_db()
            assert (campaign.state, len(tries)) == (Mailing.State.STAGING, number)
            assert "more than 2 seconds" in campaign.waiting_reason
            due_now()
        staging.stage_due()
    campaign.refresh_from_db()
    assert (campaign.state, len(tries)) == (Mailing.State.PAUSED, 3)
    assert "The content has a fault" in campaign.waiting_reason
    assert not SetAside.objects.exists(), "whoever resumes it starts afresh"
    others.campaign.refresh_from_db()
    assert others.campaign.state == Mailing.State.SENDING


def test_staging_that_takes_too_long_is_broken_off(cast: Cast, others: Others) -> None:
    campaign = cast.campaign()
    for mailing in (campaign, others.campaign):
        lifecycle.send_now(mailing=mailing, staff=None)

    def too_long() -> None:
        raise SoftTimeLimitExceeded

    with broken(BREAKS["stage"], campaign.pk, too_long):
        assert staging.stage_due() == 1
    campaign.refresh_from_db()
    assert "took too long" in campaign.waiting_reason
    assert not campaign.deliveries.exists()


def test_one_worker_stages_at_a_time(cast: Cast) -> None:
    lifecycle.send_now(mailing=(campaign := cast.campaign()), staff=None)
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [staging.STAGING_LOCK])
        assert staging.stage_due() == 0
        other.rollback()
    assert not SetAside.objects.exists()
    assert staging.stage_due() == 1
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.SENDING


def test_what_nobody_can_be_made_a_mail_of_is_set_aside_and_nobody_has_failed(
    cast: Cast, others: Others, smtp: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_crowd(cast.mailing_list, [f"reader{number}@example.net" for number in range(30)])
    campaign = cast.campaign()
    for mailing in (campaign, others.campaign):
        lifecycle.send_now(mailing=mailing, staff=None)
    real = Renderer.render

    def render(self: Renderer, recipient: Any, **given: Any) -> bytes:
        if recipient.address != "olga@example.net":
            unforeseen()
        return real(self, recipient, **given)

    with monkeypatch.context() as patch:
        patch.setattr(Renderer, "render", render)
        assert tick() < A_TICK
        assert smtp.delivered == {"olga@example.net": 1}
        assert SetAside.objects.get().mailing_id == campaign.pk
    assert set(campaign.deliveries.values_list("state", flat=True)) == {"staged"}
    due_now()
    tick()
    assert set(campaign.deliveries.values_list("state", flat=True)) == {"sent"}
    assert max(smtp.delivered.values()) == 1


def test_a_settle_that_fails_is_done_by_the_journal_and_nothing_goes_twice(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    """What the server took is sent, what it refused has failed: each by its own answer."""
    make_crowd(cast.mailing_list, [f"reader{number}@example.net" for number in range(12)])
    smtp.script = lambda moment: (
        b"550 5.1.1 no\r\n" if moment.step == "RCPT" and "reader7@" in moment.line else None
    )
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    with broken(BREAKS["settle"], campaign.pk, by_database):
        for _ in range(4):
            tick()
            due_now()
    states = dict(campaign.deliveries.values_list("registrant__address", "state"))
    assert {address for address, state in states.items() if state == "sent"} == set(smtp.delivered)
    assert states["reader7@example.net"] in ("failed", "staged")
    tick()
    states = dict(campaign.deliveries.values_list("registrant__address", "state"))
    assert states.pop("reader7@example.net") == "failed"
    assert set(states.values()) == {"sent"}
    assert set(smtp.delivered.values()) == {1}


def test_a_settle_that_fails_for_ever_leaves_unknown_and_is_not_handed_over_again(
    cast: Cast, others: Others, smtp: ScriptedSmtp
) -> None:
    campaign = cast.campaign()
    for mailing in (campaign, others.campaign):
        lifecycle.send_now(mailing=mailing, staff=None)
    by_journal = Break("", recovering, "settle", BREAKS["settle"].mailing_of)
    with (
        broken(BREAKS["settle"], campaign.pk, by_database),
        broken(by_journal, campaign.pk, by_database),
    ):
        for _ in range(3):
            tick()
            due_now()
        assert SetAside.objects.filter(step=Step.RECOVER).exists()
        assert campaign.deliveries.get().state == "handing_over"
        Lease.objects.update(until=now() - timedelta(seconds=1))
        tick()
        assert campaign.deliveries.get().state == "unknown"
    for _ in range(2):
        due_now()
        tick()
    assert campaign.deliveries.get().state == "unknown"
    assert smtp.delivered == {"ada@example.net": 1, "olga@example.net": 1}
    assert not SetAside.objects.exists()


def test_a_consumer_that_fails_in_mid_send_leaves_no_answer_for_the_next_mail(
    cast: Cast, smtp: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was on the wire is unknown; the kept connection is not used with answers to come."""
    make_crowd(cast.mailing_list, [f"reader{number}@example.net" for number in range(20)])
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    real, answers = run.Run._take, []

    def take(self: run.Run, outcome: Any) -> None:
        answers.append(outcome)
        if len(answers) == 3:
            unforeseen()
        real(self, outcome)

    monkeypatch.setattr(run.Run, "_take", take)
    for _ in range(3):
        tick()
        due_now()
    states = dict(campaign.deliveries.values_list("registrant__address", "state"))
    assert set(states.values()) <= {"sent", "unknown"}
    assert max(smtp.delivered.values()) == 1
    assert {address for address, state in states.items() if state == "sent"} <= set(smtp.delivered)
