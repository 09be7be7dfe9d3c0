"""Windows on their way: who stands in for whom, who must wait, what a lost run leaves behind."""

import itertools
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now
from pytest_django import Settings

from accountability.models import AuditEntry
from newsletter.delivery import journal, leasing, recovering, run, staging, worker
from newsletter.delivery.claiming import claim
from newsletter.mailings import lifecycle
from newsletter.mailings.audience import question
from newsletter.models import Delivery, Lease, Mailing, PaceRule, Receiver, Sender
from newsletter.senders import routing
from newsletter.transports import Outcome
from tests.cast import Cast, make_crowd
from tests.scripted_smtp import Answer, Close, Moment, ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other() -> Iterator[ScriptedSmtp]:
    """Return a second mail server."""
    with ScriptedSmtp() as server:
        yield server
    routing.close_all()


def stands_in(cast: Cast, server: ScriptedSmtp) -> Sender:
    """Let another sender's mail server stand in for the cast's."""
    after = Sender.objects.create(
        client=cast.client,
        name="spare",
        from_name="Spare",
        from_address="spare@heron.example.org",
        transport="smtp",
        host="127.0.0.1",
        port=server.port,
        security="none",
        connections=2,
    )
    Sender.objects.filter(pk=cast.sender.pk).update(fallback=after)
    return after


def sent_off(cast: Cast, count: int = 0, domain: str = "example.net") -> Mailing:
    make_crowd(cast.mailing_list, [f"reader{number}@{domain}" for number in range(count)])
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    return campaign


def serve() -> None:
    worker.serve(lanes=("campaigns",), seconds=20)
    lifecycle.finish_done()


def states() -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in Delivery.objects.values_list("state", flat=True):
        counts[state] = counts.get(state, 0) + 1
    return counts


def test_another_server_stands_in_while_the_senders_own_is_down(
    cast: Cast, settings: Settings, other: ScriptedSmtp
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:9/?connect=1"
    stands_in(cast, other)
    campaign = sent_off(cast, 3)
    serve()
    assert states() == {"sent": 4}
    assert set(other.delivered.values()) == {1}
    raw = other.messages["ada@example.net"][0]
    assert cast.sender.from_address.encode() in raw.split(b"\r\nTo:")[0]
    assert AuditEntry.objects.filter(act="stand in", subject=campaign.pk).count() == 1


def test_a_sender_that_may_not_sign_in_is_stopped_and_another_stands_in(
    cast: Cast, smtp: ScriptedSmtp, other: ScriptedSmtp
) -> None:
    """A-8, C-14: a fault of configuration is a person's to mend, never a recipient's."""
    smtp.script = lambda moment: b"530 5.7.0 sign in\r\n" if moment.step == "MAIL" else None
    stands_in(cast, other)
    sent_off(cast, 3)
    serve()
    assert states() == {"sent": 4}
    cast.sender.refresh_from_db()
    assert cast.sender.stopped_at
    assert "sign-in wanted" in cast.sender.stopped_reason


def test_without_another_the_mailing_stops_and_says_why(cast: Cast, smtp: ScriptedSmtp) -> None:
    smtp.script = lambda moment: b"530 5.7.0 sign in\r\n" if moment.step == "MAIL" else None
    campaign = sent_off(cast)
    serve()
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.PAUSED
    assert "sign-in wanted" in campaign.waiting_reason
    assert states() == {"staged": 1}
    smtp.script = lambda moment: None
    Sender.objects.update(stopped_at=None, stopped_reason="")
    lifecycle.resume(mailing=campaign, staff=1)
    serve()
    assert states() == {"sent": 1}


def test_an_answer_to_settings_mended_meanwhile_does_not_stop_their_sender(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    """A-8: whoever mends the password while the old one is still being refused mends it once."""

    def mend_then_refuse(moment: Moment) -> bytes | None:
        if moment.step != "MAIL":
            return None
        Sender.objects.get(pk=cast.sender.pk).save(update_fields=["stopped_at", "updated_at"])
        connection.close()
        return b"530 5.7.0 sign in\r\n"

    smtp.script = mend_then_refuse
    campaign = sent_off(cast)
    serve()
    cast.sender.refresh_from_db()
    assert cast.sender.stopped_at is None
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.SENDING
    assert "sign-in wanted" in campaign.waiting_reason
    smtp.script = lambda moment: None
    Mailing.objects.update(waiting_until=None)
    serve()
    assert states() == {"sent": 1}


def test_a_recipients_refusal_is_final_and_nobody_stands_in(
    cast: Cast, smtp: ScriptedSmtp, other: ScriptedSmtp
) -> None:
    smtp.script = lambda moment: b"550 5.1.1 nobody\r\n" if moment.step == "RCPT" else None
    stands_in(cast, other)
    sent_off(cast, 3)
    serve()
    assert states() == {"failed": 4}
    assert not other.delivered


def test_who_goes_beyond_the_pace_is_held_and_the_try_is_not_counted(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    PaceRule.objects.create(sender=cast.sender, receiver=Receiver.GMAIL, per_second=1)
    sent_off(cast, 12, "gmail.com")
    serve()
    counts = states()
    assert counts["sent"] >= 1
    assert counts["deferred"] >= 8
    assert Delivery.objects.get(registrant=cast.ada).state == "sent"
    waiting = Delivery.objects.filter(state="deferred").order_by("due_at")
    assert {(delivery.tries, delivery.receiver) for delivery in waiting} == {(0, Receiver.GMAIL)}
    assert all("held back" in delivery.answer for delivery in waiting)
    dues = [delivery.due_at for delivery in waiting if delivery.due_at is not None]
    assert dues[0] > now()
    gaps = [after - before for before, after in itertools.pairwise(dues)]
    assert sum(gap > timedelta(seconds=0.5) for gap in gaps) >= len(gaps) - 1
    lease = Lease.objects.get(closed_at=None)
    assert lease.due_at >= dues[0]
    assert (lease.receivers or {})[str(int(Receiver.GMAIL))]["deferred"] == len(dues)


def test_a_message_under_which_every_connection_breaks_does_not_stop_the_campaign(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    def breaks(moment: Moment) -> Answer:
        bad = moment.step == "RCPT" and "reader1@" in moment.line
        return Close() if bad else None

    smtp.script = breaks
    campaign = sent_off(cast, 6)
    for _ in range(8):
        Mailing.objects.update(waiting_until=None)
        serve()
    assert states() == {"sent": 6, "deferred": 1}
    put_off = Delivery.objects.get(state="deferred")
    assert put_off.registrant.address == "reader1@example.net"
    assert put_off.answer
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.SENDING


def test_a_window_the_gate_was_asked_about_too_long_ago_goes_back(
    cast: Cast, smtp: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "STALE_AFTER", -1.0)
    sent_off(cast, 3)
    worker.serve(lanes=("campaigns",), seconds=0.5)
    assert not smtp.delivered
    assert states() == {"staged": 4}
    assert set(Delivery.objects.values_list("tries", flat=True)) == {0}


def test_twenty_refusals_in_a_row_stop_it_with_the_servers_words(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    smtp.script = lambda moment: b"554 5.7.1 we know you\r\n" if moment.step == "RCPT" else None
    campaign = sent_off(cast, 60)
    serve()
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.PAUSED
    assert "we know you" in campaign.waiting_reason


def handed_over(cast: Cast, count: int) -> tuple[Mailing, leasing.LeaseInHand, list[int]]:
    campaign = sent_off(cast, count - 1)
    lease = leasing.take("campaigns", campaign.pk)
    assert lease is not None
    ready, _ = claim(lease=lease, question=question(campaign), window=count)
    return campaign, lease, [message.delivery for message in ready]


def test_the_notes_of_a_lost_run_say_what_went_and_what_was_answered(cast: Cast) -> None:
    """C-3, C-4: sent what was answered, staged what never went, unknown only what was in flight."""
    _, lease, (answered, in_flight, never) = handed_over(cast, 3)
    with pytest.raises(RuntimeError), journal.keep_journal(lease.attempt) as noted:
        noted([answered, in_flight], [])
        noted([], [Outcome(answered, "sent", 250, "2.0.0", "taken")])
        raise RuntimeError("lost")
    assert recovering.recover() == 1
    states_by_id = dict(Delivery.objects.values_list("pk", "state"))
    assert states_by_id == {answered: "sent", in_flight: "unknown", never: "staged"}


def test_what_went_once_more_after_an_answer_is_in_flight_again(cast: Cast) -> None:
    """An unsent one handed over again in the same run must never be taken for unsent."""
    _, lease, (first,) = handed_over(cast, 1)
    with pytest.raises(RuntimeError), journal.keep_journal(lease.attempt) as noted:
        noted([first], [])
        noted([], [Outcome(first, "unsent", 0, "", "")])
        noted([first], [])
        raise RuntimeError("lost")
    recovering.recover()
    assert states() == {"unknown": 1}


def test_a_run_that_goes_on_keeps_its_notes_to_itself(cast: Cast) -> None:
    _, lease, ids = handed_over(cast, 2)
    with journal.keep_journal(lease.attempt) as noted:
        noted(ids, [])
        assert recovering.recover() == 0
    assert states() == {"handing_over": 2}


def test_no_mail_waits_for_the_end_of_a_run_to_be_counted(
    cast: Cast, smtp: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches sees the counts of a range in work, about once a second."""
    monkeypatch.setattr("newsletter.delivery.prefetching.COUNT_EVERY_SECONDS", 0.0)
    monkeypatch.setitem(run._pace, cast.sender.pk, 5.0)
    counted: list[int] = []
    real = leasing.count

    def count(lease: leasing.LeaseInHand) -> None:
        real(lease)
        counted.append(Lease.objects.get(pk=lease.id).sent)

    monkeypatch.setattr(leasing, "count", count)

    def slowly(moment: Moment) -> None:
        if moment.step == "end":
            time.sleep(0.02)

    smtp.script = slowly
    sent_off(cast, 30)
    serve()
    assert len(counted) > 2
    assert counted == sorted(counted)
    assert 0 < counted[0] < 31


def test_settings_that_cannot_work_stop_the_sender_in_words(
    cast: Cast, settings: Settings, other: ScriptedSmtp
) -> None:
    settings.EMAIL_URL = "smtp://somebody:secret@mail.example.org:25/"
    stands_in(cast, other)
    sent_off(cast, 2)
    serve()
    assert states() == {"sent": 3}
    cast.sender.refresh_from_db()
    assert "would go in clear" in cast.sender.stopped_reason
    assert "secret" not in cast.sender.stopped_reason
