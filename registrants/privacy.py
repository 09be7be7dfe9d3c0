"""Privacy rights; so far: erasure, which empties the record and keeps only a keyed hash."""

from django.db import transaction
from django.utils.timezone import now

from accountability import audit
from registrants import suppression
from registrants.consent import Means, withdraw_all
from registrants.models import ConsentEvidence, Registrant, Subscription, Suppression
from registrants.provenance import Provenance


@transaction.atomic
def erase(*, registrant: Registrant, staff: int | None = None) -> None:
    """Empty a registrant's record; the address stays out by its hash alone (L-25)."""
    registrant = Registrant.objects.select_for_update().get(pk=registrant.pk)
    if registrant.erased_at or registrant.address_hash is None:
        return
    withdraw_all(
        registrant=registrant,
        provenance=Provenance(means=Means.ERASURE, staff=staff),
        reason=Subscription.Ended.ERASED,
    )
    ConsentEvidence.objects.filter(event__registrant=registrant).delete()
    suppression.suppress_hash(
        address_hash=bytes(registrant.address_hash),
        reason=Suppression.Reason.ERASED,
        client=registrant.client,
    )
    Registrant.objects.filter(pk=registrant.pk).update(
        address="", address_hash=None, name="", attributes={}, erased_at=now()
    )
    audit.record(act="erase", subject=registrant, staff=staff, client=registrant.client_id)
