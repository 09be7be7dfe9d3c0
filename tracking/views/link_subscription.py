"""Whom the token of an unsubscribe or preferences link names."""

from registrants import tokens
from registrants.models import Subscription
from registrants.tokens import Scope


def subscription_of(scope: Scope, token: str) -> tuple[Subscription, int] | None:
    """Return the subscription and the mailing a token names, None where it names nothing."""
    named = tokens.read(scope, token)
    if named is None:
        return None
    subscription = (
        Subscription.objects.filter(pk=named[0])
        .select_related("registrant__client", "mailing_list__client")
        .first()
    )
    return (subscription, named[1]) if subscription else None
