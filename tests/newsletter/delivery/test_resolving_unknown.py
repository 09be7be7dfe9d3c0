"""A person decides on what nobody knows the end of; the decision is kept with its counts."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from accountability.models import AuditEntry
from newsletter.delivery import leasing, resolving_unknown, staging
from newsletter.mailings import lifecycle
from newsletter.mailings.lifecycle import NotPossible
from newsletter.models import Delivery, Lease, Mailing
from tests.cast import Cast, confirmed, make_registrant, make_staff
from tests.moves import any_move

pytestmark = pytest.mark.django_db
LOST = "the worker was lost while this was being handed over"
CUT = "the connection was lost before the server answered"


def with_unknown(cast: Cast, *, lost: int = 3, cut: int = 2, sent: int = 2) -> Mailing:
    """Return a campaign under way, some of it in a state nobody knows."""
    for number in range(lost + cut + sent - 1):
        confirmed(make_registrant(cast.client, f"reader{number}@example.net"), cast.mailing_list)
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    rows = list(Delivery.objects.filter(mailing=campaign).order_by("pk"))
    for row, (state, answer) in zip(
        rows,
        [("unknown", LOST)] * lost + [("unknown", CUT)] * cut + [("sent", "ok")] * sent,
        strict=True,
    ):
        row.state, row.answer, row.settled_at = state, answer, now()
        with any_move():
            row.save()
    give_back()
    campaign.refresh_from_db()
    return campaign


def give_back() -> None:
    """Count how everything stands, as a worker does that gives its lease back."""
    with connection.cursor() as cursor:
        for lease in Lease.objects.filter(attempt=None):
            leasing.recount_and_release(cursor, leasing.lease_of_row(lease), timedelta(0), None)


def states(mailing: Mailing) -> list[str]:
    return sorted(Delivery.objects.filter(mailing=mailing).values_list("state", flat=True))


def test_the_undecided_are_grouped_by_what_was_said_last(cast: Cast) -> None:
    undecided = resolving_unknown.undecided(with_unknown(cast))
    assert [(group.words, group.count) for group in undecided.groups] == [(LOST, 3), (CUT, 2)]
    assert undecided.count == 5
    assert undecided.oldest is not None
    assert undecided.newest is not None
    assert undecided.oldest < undecided.newest
    assert len(undecided.sample) == 5


def test_where_nothing_is_unknown_nothing_waits(cast: Cast) -> None:
    campaign = with_unknown(cast, lost=0, cut=0)
    assert resolving_unknown.undecided(campaign) == resolving_unknown.Undecided([], 0, None, None)
    assert not resolving_unknown.waits(campaign)
    with pytest.raises(NotPossible, match="somebody may have been faster"):
        resolving_unknown.accept_unknown(mailing=campaign, staff=1)


def test_accepting_all_closes_it_and_says_who_and_how_many(cast: Cast) -> None:
    campaign, mara = with_unknown(cast), make_staff("mara", client=cast.client)
    assert lifecycle.finish_done() == 0
    assert resolving_unknown.accept_unknown(mailing=campaign, staff=mara.pk) == 5
    assert lifecycle.finish_done() == 1
    [decision] = resolving_unknown.decided(campaign)
    assert (decision.staff, decision.count, decision.is_sent_again) == ("mara", 5, False)
    assert states(campaign) == ["sent"] * 2 + ["unknown"] * 5


def test_one_group_is_sent_again_the_other_stays_undecided(cast: Cast) -> None:
    campaign = with_unknown(cast)
    assert resolving_unknown.resend_unknown(mailing=campaign, staff=None, answer=CUT) == 2
    assert states(campaign) == ["sent"] * 2 + ["staged"] * 2 + ["unknown"] * 3
    assert [group.words for group in resolving_unknown.undecided(campaign).groups] == [LOST]
    assert resolving_unknown.waits(campaign)
    lease = Lease.objects.get(mailing=campaign)
    assert lease.due_at <= now()
    [decision] = resolving_unknown.decided(campaign)
    assert (decision.words, decision.count, decision.is_sent_again) == (CUT, 2, True)


def test_of_a_cancelled_one_the_unknown_can_be_accepted_but_not_sent_again(cast: Cast) -> None:
    campaign = with_unknown(cast)
    lifecycle.cancel(mailing=campaign, staff=1)
    with pytest.raises(NotPossible, match="over"):
        resolving_unknown.resend_unknown(mailing=campaign, staff=1)
    assert resolving_unknown.accept_unknown(mailing=campaign, staff=1) == 5


def test_a_paused_one_is_decided_and_stays_paused(cast: Cast) -> None:
    campaign = with_unknown(cast)
    lifecycle.pause(mailing=campaign, staff=1)
    assert resolving_unknown.resend_unknown(mailing=campaign, staff=1) == 5
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.PAUSED


def test_what_a_worker_holds_is_not_decided_under_its_hands(cast: Cast) -> None:
    """The worker would count without the decision and put its range away for good."""
    campaign = with_unknown(cast)
    Lease.objects.update(due_at=now() - timedelta(minutes=1), waits_for_person=False)
    lease = leasing.take("campaigns", campaign.pk)
    assert lease is not None
    with pytest.raises(NotPossible, match="worker is busy"):
        resolving_unknown.accept_unknown(mailing=campaign, staff=1)
    assert not AuditEntry.objects.filter(act=resolving_unknown.ACCEPTED).exists()
    leasing.give_back(lease)
    assert resolving_unknown.accept_unknown(mailing=campaign, staff=1) == 5


def test_the_undecided_are_found_along_the_ranges_and_never_by_a_scan(cast: Cast) -> None:
    campaign = with_unknown(cast)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {resolving_unknown.UNDECIDED}", [5, campaign.pk])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "newsletter_delivery_pkey" in plan
    assert "Seq Scan on newsletter_delivery" not in plan
