"""A range that cannot be closed or freed holds up no other.

Mirrors several: newsletter/delivery/leasing.py, newsletter/delivery/recovering.py.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils.timezone import now
from pytest_django import Settings

from newsletter.delivery import journal, leasing, recovering, staging
from newsletter.mailings import lifecycle
from newsletter.models import Lease, SetAside
from tests.cast import Cast
from tests.newsletter.delivery.breaking import Break, Others, Step, broken, by_database

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cancelled_range_that_cannot_be_closed_holds_up_no_other(
    cast: Cast, others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mailing in (campaign := cast.campaign(), others.campaign):
        lifecycle.send_now(mailing=mailing, staff=None)
    staging.stage_due()
    for mailing in (campaign, others.campaign):
        lifecycle.cancel(mailing=mailing, staff=None)
    bad = Lease.objects.get(mailing=campaign).pk
    where = Break("", leasing, "_close", lambda due, lease_id: lease_id)
    with broken(where, bad, by_database):
        leasing.close_cancelled()
    assert others.campaign.deliveries.get().state == "refused"
    assert campaign.deliveries.get().state == "staged"
    assert SetAside.objects.get().step == Step.CLOSE


def test_a_lost_lease_that_cannot_be_freed_holds_up_no_other(cast: Cast, others: Others) -> None:
    for mailing in (campaign := cast.campaign(), others.campaign):
        lifecycle.send_now(mailing=mailing, staff=None)
    staging.stage_due()
    for mailing in (campaign, others.campaign):
        assert leasing.take("campaigns", mailing.pk)
    Lease.objects.update(until=now() - timedelta(seconds=1))
    bad = Lease.objects.get(mailing=campaign).pk
    with broken(Break("", recovering, "_expire", lambda lost, pk: pk), bad, by_database) as tries:
        assert recovering.recover() == 1
        assert recovering.recover() == 0
        assert len(tries) == 1
    assert SetAside.objects.get().step == Step.RECOVER


def test_a_file_that_is_no_journal_holds_up_no_journal(
    cast: Cast, settings: Settings, tmp_path: Path
) -> None:
    settings.NOTES_FOLDER = tmp_path
    (tmp_path / "0odd.notes").write_text("not a journal")
    lifecycle.send_now(mailing=(campaign := cast.campaign()), staff=None)
    staging.stage_due()
    attempt = leasing.new_attempt()
    with pytest.raises(KeyError), journal.keep_journal(attempt):
        assert leasing.take("campaigns", campaign.pk, attempt)
        raise KeyError("the worker is lost here")
    assert recovering.recover() == 1
    assert SetAside.objects.get().step == Step.RECOVER
