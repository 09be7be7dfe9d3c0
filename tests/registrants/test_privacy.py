"""Erasure: the record is emptied, the address stays out by its hash alone."""

from registrants import privacy, suppression
from registrants.models import ConsentEvent, ConsentEvidence, Registrant, Suppression
from tests.cast import Cast


def test_erasing_leaves_nothing_of_the_person(cast: Cast) -> None:
    """L-25."""
    privacy.erase(registrant=cast.ada)
    cast.ada.refresh_from_db()
    assert (cast.ada.address, cast.ada.name, cast.ada.attributes) == ("", "", {})
    assert cast.ada.address_hash is None
    assert not ConsentEvidence.objects.filter(event__registrant=cast.ada).exists()
    assert set(cast.ada.subscriptions.values_list("ended_reason", flat=True)) == {"erased"}


def test_what_was_agreed_can_still_be_shown_without_the_person(cast: Cast) -> None:
    privacy.erase(registrant=cast.ada)
    acts = ConsentEvent.objects.filter(registrant=cast.ada).order_by("pk")
    assert [event.act for event in acts] == ["asked", "given", "withdrawn"]


def test_the_address_stays_out(cast: Cast) -> None:
    """L-25."""
    privacy.erase(registrant=cast.ada)
    assert suppression.stands(
        address="ada@example.net", reason=Suppression.Reason.ERASED, client=cast.client
    )


def test_erasing_twice_is_erasing_once(cast: Cast) -> None:
    privacy.erase(registrant=cast.ada)
    before = Registrant.objects.get(pk=cast.ada.pk).erased_at
    privacy.erase(registrant=cast.ada)
    assert Registrant.objects.get(pk=cast.ada.pk).erased_at == before
