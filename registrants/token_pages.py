"""Pages behind a token: private, and silent where the token names nothing."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.utils.translation import gettext

from redis_store import rate_limits
from registrants.models import ConsentEvent, Registrant
from registrants.provenance import address_of

View = Callable[[HttpRequest, str], HttpResponse]
ACTS_A_DAY = 20
MISSES_A_SECOND, MISSES_AT_ONCE = 0.2, 30


def private_page(view: View) -> View:
    """Keep a page out of caches, search engines and Referer headers."""

    @wraps(view)
    def answered(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return answered


def is_over_limit(link: str, person: Registrant) -> bool:
    """Count one more act through a link; tell whether the day has seen enough of them (S-3).

    Never asked for a withdrawal, a "never mail me" or a denial of measuring (U-25). While Redis is
    away, what was written about the person counts.
    """
    try:
        return rate_limits.count(f"acts:{link}", seconds=86_400) > ACTS_A_DAY
    except rate_limits.LimitsUnavailable:
        lately = ConsentEvent.objects.filter(registrant=person, at__gt=now() - timedelta(days=1))
        return lately.count() >= ACTS_A_DAY


def too_many_acts() -> str:
    """Return what a page says once the day's acts are used up."""
    return gettext(
        "Nothing was changed: today there were %(most)s changes through this link, which is as many"
        " as a day may have. Please come back tomorrow. Unsubscribing and refusing to be measured"
        " work at any time."
    ) % {"most": ACTS_A_DAY}


def unknown_link(request: HttpRequest) -> HttpResponse:
    """Answer a token that names nothing: 404 without detail, slowed down where it goes on (S-1)."""
    try:
        often = not rate_limits.allow(
            f"miss:{address_of(request)}", rate=MISSES_A_SECOND, burst=MISSES_AT_ONCE
        )
    except rate_limits.LimitsUnavailable:
        often = False
    return render(request, "public/unknown.html", status=429 if often else 404)
