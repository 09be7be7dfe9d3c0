"""Suppressions: once each, by hash alone, lifted where they may be."""

import pytest

from accountability.models import AuditEntry
from registrants import suppression
from registrants.addresses import hashed
from registrants.models import Suppression
from tests.cast import Cast, make_client

Reason = Suppression.Reason


def test_suppressing_twice_is_once_and_told_once(cast: Cast) -> None:
    for _ in range(2):
        suppression.suppress(
            address="Gus@Example.net", reason=Reason.NEVER_MAIL, client=cast.client
        )
    kept = Suppression.objects.get(address_hash=hashed("gus@example.net"))
    entry = AuditEntry.objects.get(act="suppress", subject=kept.pk)
    assert entry.client == cast.client.pk
    assert "gus" not in str(entry.detail)


@pytest.mark.parametrize("reason", [Reason.UNDER_13, Reason.HARD_BOUNCE])
def test_some_reasons_hold_for_the_whole_installation(cast: Cast, reason: Reason) -> None:
    suppression.suppress(address="gus@example.net", reason=reason, client=cast.client)
    other = make_client("Lighthouse", "lighthouse")
    assert suppression.stands(address="gus@example.net", reason=reason, client=other)


@pytest.mark.parametrize("reason", [Reason.ERASED, Reason.NEVER_MAIL, Reason.COMPLAINT])
def test_the_others_hold_for_one_client_which_must_be_named(cast: Cast, reason: Reason) -> None:
    suppression.suppress(address="gus@example.net", reason=reason, client=cast.client)
    other = make_client("Lighthouse", "lighthouse")
    assert not suppression.stands(address="gus@example.net", reason=reason, client=other)
    with pytest.raises(ValueError, match="belongs to a client"):
        suppression.suppress(address="gus@example.net", reason=reason)


def test_lifting_is_told_and_touches_no_other_client(cast: Cast) -> None:
    other = make_client("Lighthouse", "lighthouse")
    for client in (cast.client, other):
        suppression.suppress(address="gus@example.net", reason=Reason.COMPLAINT, client=client)
    lifted = suppression.lift(
        address="gus@example.net", reasons=[Reason.COMPLAINT], client=cast.client
    )
    assert lifted == 1
    assert suppression.stands(address="gus@example.net", reason=Reason.COMPLAINT, client=other)
    assert AuditEntry.objects.filter(act="lift").count() == 1


def test_what_was_lifted_can_come_back(cast: Cast) -> None:
    for _ in range(2):
        suppression.suppress(address="gus@example.net", reason=Reason.COMPLAINT, client=cast.client)
        suppression.lift(address="gus@example.net", reasons=[Reason.COMPLAINT], client=cast.client)
    assert Suppression.objects.filter(address_hash=hashed("gus@example.net")).count() == 2
