"""What the token pages share: whom a token names, and the answer where it names nobody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accountability import limits
from registrants import tokens
from registrants.doors import address_of
from registrants.models import Subscription

MISSES_A_SECOND, MISSES_AT_ONCE = 0.2, 30


def subscription_of(scope: str, token: str) -> tuple[Subscription, int] | None:
    """Return the subscription and the mailing a token names, None where it names nothing."""
    named = tokens.read(scope, token)
    if named is None:
        return None
    subscription = (
        Subscription.objects.filter(pk=named[0])
        .select_related("registrant", "mailing_list__client", "registrant__client")
        .first()
    )
    return (subscription, named[1]) if subscription else None


def unknown(request: HttpRequest) -> HttpResponse:
    """Answer a token that names nothing: 404 without detail, slowed down where it goes on (S-1)."""
    try:
        often = not limits.allow(
            f"miss:{address_of(request)}", rate=MISSES_A_SECOND, burst=MISSES_AT_ONCE
        )
    except limits.Unreachable:
        often = False
    return render(request, "public/unknown.html", status=429 if often else 404)
