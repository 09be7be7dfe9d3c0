"""A reader says stop: the subscription ends at once, and the mailing it came through is told."""

from django.db import transaction

from registrants import consent
from registrants.models import Subscription
from registrants.provenance import Provenance
from tracking import events
from tracking.models import Event


@transaction.atomic
def unsubscribe(*, subscription: Subscription, mailing: int, provenance: Provenance) -> bool:
    """End one subscription (U-23); False where it had ended already, which changes nothing."""
    ended = consent.withdraw(subscription=subscription, provenance=provenance)
    if ended:
        _note(subscription, mailing)
    return ended


@transaction.atomic
def unsubscribe_all(*, subscription: Subscription, mailing: int, provenance: Provenance) -> int:
    """End every subscription of the same registrant; return how many ended now."""
    ended = consent.withdraw_all(registrant=subscription.registrant, provenance=provenance)
    if ended:
        _note(subscription, mailing)
    return ended


def _note(subscription: Subscription, mailing: int) -> None:
    if mailing:
        events.note(
            kind=Event.Kind.UNSUBSCRIBED, mailing=mailing, registrant=subscription.registrant_id
        )
