"""Staging: the audience frozen into one delivery a person, repeatably."""

from django.db import connection
from django.utils.timezone import now

from newsletter.delivery import staging
from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Lease, Link, Mailing
from tests.cast import Cast, make_crowd


def started(mailing: Mailing) -> Mailing:
    lifecycle.send_now(mailing=mailing, staff=None)
    return mailing


def test_exactly_those_the_gate_lets_through_are_staged(cast: Cast) -> None:
    campaign = started(cast.campaign())
    assert staging.stage(campaign.pk) == 1
    assert list(Delivery.objects.values_list("registrant", "state")) == [(cast.ada.pk, "staged")]
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.SENDING
    assert campaign.staged == 1
    assert campaign.left_out == {
        "pending": 1,
        "ended": 1,
        "never_mail": 1,
        "erased": 1,
        "under_13": 1,
    }


def test_staging_twice_stages_once(cast: Cast) -> None:
    """C-2."""
    campaign = started(cast.campaign())
    staging.stage(campaign.pk)
    assert staging.stage(campaign.pk) is None
    assert Delivery.objects.count() == 1


def test_a_draft_is_not_staged(cast: Cast) -> None:
    assert staging.stage(cast.campaign().pk) is None


def test_the_leases_cover_every_delivery_once(cast: Cast, monkeypatch: object) -> None:
    make_crowd(cast.mailing_list, [f"reader{number}@example.net" for number in range(40)])
    staging_size, staging.LEASE_SIZE = staging.LEASE_SIZE, 7
    try:
        campaign = started(cast.campaign())
        staging.stage(campaign.pk)
    finally:
        staging.LEASE_SIZE = staging_size
    covered = []
    for lease in Lease.objects.filter(mailing=campaign):
        ids = Delivery.objects.filter(pk__range=(lease.first, lease.last), mailing=campaign)
        covered += list(ids.values_list("pk", flat=True))
        assert ids.count() == lease.size
    assert sorted(covered) == sorted(Delivery.objects.values_list("pk", flat=True))


def test_the_links_are_stored_in_order(cast: Cast) -> None:
    campaign = started(
        cast.campaign(body="[a](https://a.example.org/) [b](https://b.example.org/)")
    )
    staging.stage(campaign.pk)
    assert list(Link.objects.values_list("position", "url")) == [
        (0, "https://a.example.org/"),
        (1, "https://b.example.org/"),
    ]


def test_what_cannot_be_compiled_any_more_pauses_with_the_reason(cast: Cast) -> None:
    """Such a one can only have been started by a version that did not freeze."""
    campaign = cast.campaign(body="{% if %}")
    Mailing.objects.filter(pk=campaign.pk).update(state="staging", started_at=now())
    staging.stage_due()
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.PAUSED
    assert "fault" in campaign.waiting_reason


def test_a_notice_reaches_everyone_enrolled_the_gate_does_not_refuse(cast: Cast) -> None:
    notice = started(cast.notice())
    staging.stage(notice.pk)
    reached = set(Delivery.objects.values_list("registrant__name", flat=True))
    assert reached == {"Ada", "Ben", "Cleo", "Dov"}
    notice.refresh_from_db()
    assert notice.overridden == 2
    assert not Link.objects.exists()


def test_the_planner_knows_the_ledger_as_soon_as_it_is_staged(cast: Cast) -> None:
    """A page that lists a million fresh deliveries must not guess how many there are."""
    make_crowd(cast.mailing_list, [f"reader{number}@example.net" for number in range(400)])
    campaign = started(cast.campaign())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET reltuples = 0, relpages = 1000 WHERE oid = %s::regclass",
            [Delivery._meta.db_table],
        )
        staging.stage(campaign.pk)
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [Delivery._meta.db_table]
        )
        assert cursor.fetchone()[0] >= 401
