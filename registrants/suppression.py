"""Suppress and lift; the only writer of suppressions."""

from django.db import transaction
from django.utils.timezone import now

from accountability import audit
from registrants.addresses import hashed
from registrants.models import Client, Suppression


@transaction.atomic
def suppress(
    *,
    address: str,
    reason: Suppression.Reason,
    client: Client | None = None,
    evidence: str = "",
    staff: int | None = None,
) -> None:
    """Keep an address from being mailed, for one client or (bounce, under 13) for all."""
    suppress_hash(
        address_hash=hashed(address),
        reason=reason,
        client=client,
        evidence=evidence,
        staff=staff,
    )


@transaction.atomic
def suppress_hash(
    *,
    address_hash: bytes,
    reason: Suppression.Reason,
    client: Client | None = None,
    evidence: str = "",
    staff: int | None = None,
) -> None:
    """Do the same where only the keyed hash of the address is known any more."""
    scope = None if reason in Suppression.EVERYWHERE else client
    if reason not in Suppression.EVERYWHERE and client is None:
        raise ValueError(f"a suppression for {reason} belongs to a client")
    made, is_new = Suppression.objects.get_or_create(
        address_hash=address_hash,
        client=scope,
        reason=reason,
        lifted_at=None,
        defaults={"evidence": evidence[:500]},
    )
    if not is_new:
        return
    audit.record(
        act="suppress",
        subject=made,
        staff=staff,
        client=client.pk if client else None,
        reason=str(reason),
    )


def stands(*, address: str, reason: Suppression.Reason, client: Client) -> bool:
    """Tell whether an address is suppressed for this reason, everywhere or for this client."""
    scope = None if reason in Suppression.EVERYWHERE else client
    return Suppression.objects.filter(
        address_hash=hashed(address), reason=reason, client=scope, lifted_at=None
    ).exists()


@transaction.atomic
def lift(
    *,
    address: str,
    reasons: list[Suppression.Reason],
    client: Client | None,
    staff: int | None = None,
) -> int:
    """Let an address be mailed again as far as these reasons go; return how many were lifted."""
    standing = Suppression.objects.select_for_update().filter(
        address_hash=hashed(address), reason__in=reasons, lifted_at=None
    )
    lifted = 0
    for suppression in standing:
        if suppression.client_id is None or (client and suppression.client_id == client.pk):
            suppression.lifted_at = now()
            suppression.save(update_fields=["lifted_at"])
            lifted += 1
            audit.record(
                act="lift",
                subject=suppression,
                staff=staff,
                client=client.pk if client else None,
                reason=suppression.reason,
            )
    return lifted
