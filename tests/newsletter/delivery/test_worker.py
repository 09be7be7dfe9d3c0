"""Sending: through the gate, over a real wire, every delivery in its true state."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils.timezone import now
from pytest_django import Settings

from newsletter import letters
from newsletter.delivery import leasing, recovering, resolving_unknown, staging, worker
from newsletter.delivery.claiming import claim
from newsletter.mailings import lifecycle
from newsletter.mailings.audience import question
from newsletter.models import Delivery, Lease, Mailing
from registrants import consent
from registrants.consent import Ask, Means
from registrants.provenance import Provenance
from tests.cast import FORM, Cast, make_crowd, measured
from tests.scripted_smtp import Close, Moment, ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)


def readers(cast: Cast, count: int) -> None:
    make_crowd(cast.mailing_list, [f"reader{number}@example.net" for number in range(count)])


def staged(mailing: Mailing) -> Mailing:
    lifecycle.send_now(mailing=mailing, staff=None)
    staging.stage(mailing.pk)
    mailing.refresh_from_db()
    return mailing


def serve(lane: str = "campaigns") -> None:
    worker.serve(lanes=(lane,), seconds=20)
    lifecycle.finish_done()


def states(mailing: Mailing) -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in Delivery.objects.filter(mailing=mailing).values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts


def test_everybody_gets_it_once_and_it_reads_sent(cast: Cast, smtp: ScriptedSmtp) -> None:
    readers(cast, 25)
    campaign = staged(cast.campaign())
    serve()
    assert states(campaign) == {"sent": 26}
    assert set(smtp.delivered.values()) == {1}
    assert len(smtp.delivered) == 26
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.SENT


def test_who_unsubscribes_after_staging_gets_nothing(cast: Cast, smtp: ScriptedSmtp) -> None:
    """AT-U4, C-6: the gate is asked again when handing over."""
    campaign = staged(cast.campaign())
    consent.withdraw(
        subscription=cast.ada.subscriptions.get(), provenance=Provenance(means=Means.ONE_CLICK)
    )
    serve()
    assert not smtp.delivered
    row = Delivery.objects.get(mailing=campaign)
    assert (row.state, row.refusal) == ("refused", "ended")


def test_a_notice_goes_to_exactly_the_right_ones(cast: Cast, smtp: ScriptedSmtp) -> None:
    staged(cast.notice())
    measured(cast.ada)
    serve("notices")
    assert set(smtp.delivered) == {f"{name}@example.net" for name in ("ada", "ben", "cleo", "dov")}
    raw = smtp.messages["ada@example.net"][0]
    assert b"/i/" not in raw
    assert b"/l/" not in raw
    assert b"List-Unsubscribe" not in raw


def test_4xx_is_deferred_5xx_has_failed_with_the_servers_words(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    readers(cast, 6)

    def script(moment: Moment) -> bytes | None:
        if moment.step == "RCPT" and "reader1@" in moment.line:
            return b"451 4.3.0 come back later\r\n"
        if moment.step == "RCPT" and "reader2@" in moment.line:
            return b"550 5.1.1 no reader2@example.net here\r\n"
        return None

    smtp.script = script
    campaign = staged(cast.campaign())
    serve()
    assert states(campaign) == {"sent": 5, "deferred": 1, "failed": 1}
    failed = Delivery.objects.get(state="failed")
    assert failed.code == 550
    assert "example.net" not in failed.answer
    deferred = Delivery.objects.get(state="deferred")
    assert deferred.due_at is not None
    assert timedelta(minutes=29) < deferred.due_at - now() < timedelta(minutes=31)
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.SENDING
    smtp.script = lambda moment: None
    Delivery.objects.filter(state="deferred").update(due_at=now())
    Lease.objects.update(due_at=now())
    serve()
    assert states(campaign) == {"sent": 6, "failed": 1}
    assert max(smtp.delivered.values()) == 1


def test_no_answer_after_the_end_of_data_is_unknown_and_not_sent_again(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    """C-5: at most once; the mailing is not called sent while one is unknown."""

    def script(moment: Moment) -> Close | None:
        return Close(accepting=True) if moment.step == "end" else None

    smtp.script = script
    campaign = staged(cast.campaign())
    serve()
    assert states(campaign) == {"unknown": 1}
    smtp.script = lambda moment: None
    serve()
    assert smtp.delivered["ada@example.net"] == 1
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.SENDING


@pytest.mark.parametrize(
    ("act", "mails"), [(resolving_unknown.accept_unknown, 1), (resolving_unknown.resend_unknown, 2)]
)
def test_a_person_decides_about_the_unknown(
    cast: Cast, smtp: ScriptedSmtp, act: Callable[..., int], mails: int
) -> None:
    smtp.script = lambda moment: Close(accepting=True) if moment.step == "end" else None
    campaign = staged(cast.campaign())
    serve()
    smtp.script = lambda moment: None
    assert resolving_unknown.waits(campaign)
    assert act(mailing=campaign, staff=1) == 1
    serve()
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.SENT
    assert smtp.delivered["ada@example.net"] == mails
    with pytest.raises(lifecycle.NotPossible):
        act(mailing=campaign, staff=1)


def test_a_server_that_is_down_makes_the_campaign_wait_and_go_on_by_itself(
    cast: Cast, smtp: ScriptedSmtp, settings: Settings
) -> None:
    there = settings.EMAIL_URL
    settings.EMAIL_URL = "smtp://127.0.0.1:9/"
    campaign = staged(cast.campaign())
    serve()
    campaign.refresh_from_db()
    assert campaign.waiting_until is not None
    assert "mail server" in campaign.waiting_reason
    assert states(campaign) == {"staged": 1}
    settings.EMAIL_URL = there
    Mailing.objects.filter(pk=campaign.pk).update(waiting_until=now())
    serve()
    campaign.refresh_from_db()
    assert (campaign.state, campaign.waiting_reason) == ("sent", "")


def test_a_paused_campaign_hands_nothing_over_until_it_is_resumed(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    campaign = staged(cast.campaign())
    lifecycle.pause(mailing=campaign, staff=1)
    serve()
    assert not smtp.delivered
    lifecycle.resume(mailing=campaign, staff=1)
    serve()
    assert smtp.delivered["ada@example.net"] == 1


def test_cancelling_refuses_what_is_open(cast: Cast, smtp: ScriptedSmtp) -> None:
    readers(cast, 3)
    campaign = staged(cast.campaign())
    lifecycle.cancel(mailing=campaign, staff=1)
    leasing.close_cancelled()
    assert states(campaign) == {"refused": 4}
    assert set(Delivery.objects.values_list("refusal", flat=True)) == {"cancelled"}
    assert not Lease.objects.filter(closed_at=None).exists()
    serve()
    assert not smtp.delivered


def test_a_lost_workers_window_is_unknown_when_nothing_is_known_of_it(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    readers(cast, 4)
    campaign = staged(cast.campaign())
    lease = leasing.take("campaigns", campaign.pk)
    assert lease is not None
    ready, _ = claim(lease=lease, question=question(campaign), window=2)
    assert len(ready) == 2
    Lease.objects.update(until=now() - timedelta(seconds=1))
    assert recovering.recover() == 1
    assert states(campaign) == {"unknown": 2, "staged": 3}
    serve()
    assert states(campaign) == {"unknown": 2, "sent": 3}


def test_what_two_workers_hold_never_overlaps(cast: Cast) -> None:
    campaign = staged(cast.campaign())
    first = leasing.take("campaigns", campaign.pk)
    assert first is not None
    assert leasing.take("campaigns", campaign.pk) is None


def test_a_worker_whose_lease_is_lost_hands_nothing_over(cast: Cast) -> None:
    campaign = staged(cast.campaign())
    lease = leasing.take("campaigns", campaign.pk)
    assert lease is not None
    Lease.objects.update(until=now() - timedelta(seconds=1))
    recovering.recover()
    assert claim(lease=lease, question=question(campaign), window=10) == ([], 0)


def test_a_confirm_letter_goes_out_and_is_owed_once_a_day(cast: Cast, smtp: ScriptedSmtp) -> None:
    ask = consent.ask(
        client=cast.client,
        address="new@example.net",
        ask=Ask(lists=(cast.mailing_list,)),
        provenance=FORM,
    )
    assert letters.owe(registrant=ask.registrant, letter=Delivery.Letter.CONFIRM, asked_by=ask.pk)
    worker.serve(lanes=("letters",), seconds=5)
    assert smtp.delivered["new@example.net"] == 1
    raw = smtp.messages["new@example.net"][0]
    assert b"/y/" in raw
    assert b"List-Unsubscribe" not in raw
    assert len(raw) < 8_000
    again = consent.ask(
        client=cast.client,
        address="new@example.net",
        ask=Ask(lists=(cast.mailing_list,)),
        provenance=FORM,
    )
    owed = letters.owe(
        registrant=again.registrant, letter=Delivery.Letter.CONFIRM, asked_by=again.pk
    )
    assert owed is None


def test_a_suppressed_address_is_owed_no_letter(cast: Cast) -> None:
    ask = consent.ask(
        client=cast.client,
        address=cast.dov.address,
        ask=Ask(lists=(cast.mailing_list,)),
        provenance=FORM,
    )
    owed = letters.owe(registrant=ask.registrant, letter=Delivery.Letter.CONFIRM, asked_by=ask.pk)
    assert owed is None


def test_one_who_cannot_be_rendered_does_not_stop_the_others(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    readers(cast, 2)
    type(cast.ada).objects.filter(pk=cast.ada.pk).update(address="broken\naddress")
    campaign = staged(cast.campaign())
    serve()
    assert states(campaign) == {"sent": 2, "failed": 1}
