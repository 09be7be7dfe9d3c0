"""The address key and the people whose hashes it made: whether they belong together."""

from itertools import chain

from django.conf import settings

from accountability.key_fingerprints import KeyUse
from registrants.addresses import hashed
from registrants.models import Registrant

PROOFS = 20
"""How many of the oldest and of the newest people are looked at."""


def _misfit() -> str:
    """Say whether somebody's stored hash is not the one this key makes of their address."""
    people = Registrant.objects.exclude(address_hash=None).exclude(address="")
    rows = people.values_list("address", "address_hash")
    some = chain(rows.order_by("pk")[:PROOFS], rows.order_by("-pk")[:PROOFS])
    if all(bytes(address_hash or b"") == hashed(address) for address, address_hash in some):
        return ""
    return "the address of a registrant has another hash, so no suppression would be seen"


OF_ADDRESSES = KeyUse(
    setting="HEED_ADDRESS_KEY", present=lambda: {1: settings.ADDRESS_KEY}, misfit=_misfit
)
