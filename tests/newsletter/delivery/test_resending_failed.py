"""Only what failed goes again, and nobody whose address does not exist."""

import pytest
from django.utils.timezone import now

from accountability.models import AuditEntry
from newsletter.delivery import resending_failed
from newsletter.mailings import lifecycle
from newsletter.mailings.lifecycle import NotPossible
from newsletter.models import Delivery, Lease, Mailing
from registrants import consent
from registrants.consent import Means
from registrants.provenance import Provenance
from tests.cast import Cast
from tests.moves import any_move
from tests.newsletter.delivery.test_resolving_unknown import give_back, states, with_unknown
from tests.newsletter.delivery.test_worker import serve
from tests.scripted_smtp import ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)
GONE, SPAM, LATE = (
    (550, "No such user here"),
    (554, "Message rejected as spam"),
    (451, "Local error in processing"),
)


def with_failures(cast: Cast) -> Mailing:
    """Return a campaign that is sent, of which one each failed for good, as spam, and too late."""
    campaign = with_unknown(cast, lost=0, cut=0, sent=6)
    rows = Delivery.objects.filter(mailing=campaign).order_by("-pk")
    for row, (code, answer) in zip(rows, (GONE, SPAM, LATE), strict=False):
        row.state, row.code, row.answer, row.tries = "failed", code, answer, 5
        with any_move():
            row.save()
    give_back()
    assert lifecycle.finish_done() == 1
    campaign.refresh_from_db()
    return campaign


def test_what_failed_is_told_apart_by_whether_sending_again_can_help(cast: Cast) -> None:
    failures = resending_failed.failures(with_failures(cast))
    assert (failures.again, failures.gone) == (2, 1)
    assert failures.replies_gone == [resending_failed.FailureReply(*GONE, 1)]
    assert {(reply.code, reply.words) for reply in failures.replies_again} == {SPAM, LATE}


def test_what_differs_by_ids_alone_is_shown_as_one(cast: Cast) -> None:
    campaign = with_failures(cast)
    for row in Delivery.objects.filter(mailing=campaign, state="failed"):
        row.code, row.answer = 554, f"5.7.1 spam, id 4XtZ0q12Rfz{row.pk}"
        row.save()
    replies = [resending_failed.FailureReply(554, "5.7.1 spam, id …", 3)]
    assert resending_failed.failures(campaign).replies_again == replies


def test_only_what_failed_goes_again_and_the_mailing_is_under_way(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    campaign = with_failures(cast)
    assert resending_failed.resend_failed(mailing=campaign, staff=7) == 2
    assert campaign.state == Mailing.State.SENDING
    assert campaign.finished_at is None
    assert lifecycle.finish_done() == 0
    assert AuditEntry.objects.get(act="retry").detail == {"deliveries": 2}
    serve()
    assert states(campaign) == ["failed"] + ["sent"] * 5
    assert len(smtp.delivered) == 2
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.SENT


def test_the_gate_is_asked_again(cast: Cast, smtp: ScriptedSmtp) -> None:
    campaign = with_failures(cast)
    resending_failed.resend_failed(mailing=campaign, staff=7)
    row = Delivery.objects.filter(mailing=campaign, state="staged").first()
    assert row is not None
    consent.withdraw(
        subscription=row.registrant.subscriptions.get(),
        provenance=Provenance(means=Means.ONE_CLICK),
    )
    serve()
    assert states(campaign) == ["failed", "refused"] + ["sent"] * 4


def test_of_two_people_one_sends_it_again(cast: Cast) -> None:
    campaign = with_failures(cast)
    resending_failed.resend_failed(mailing=campaign, staff=1)
    with pytest.raises(NotPossible, match="Nothing that failed"):
        resending_failed.resend_failed(mailing=campaign, staff=2)


def test_a_paused_one_stays_paused_and_a_cancelled_one_is_left(cast: Cast) -> None:
    campaign = with_failures(cast)
    Mailing.objects.filter(pk=campaign.pk).update(state=Mailing.State.CANCELLED)
    with pytest.raises(NotPossible, match="cancelled"):
        resending_failed.resend_failed(mailing=campaign, staff=1)
    Mailing.objects.filter(pk=campaign.pk).update(state=Mailing.State.PAUSED)
    assert resending_failed.resend_failed(mailing=campaign, staff=1) == 2
    assert campaign.state == Mailing.State.PAUSED


def test_what_a_worker_holds_is_left_to_it(cast: Cast) -> None:
    campaign = with_failures(cast)
    Lease.objects.update(attempt=1, until=now())
    with pytest.raises(NotPossible):
        resending_failed.resend_failed(mailing=campaign, staff=1)
