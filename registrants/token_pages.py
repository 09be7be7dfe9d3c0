"""Pages behind a token: private, and silent where the token names nothing."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from redis_store import rate_limits
from registrants.provenance import address_of

View = Callable[[HttpRequest, str], HttpResponse]
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


def unknown_link(request: HttpRequest) -> HttpResponse:
    """Answer a token that names nothing: 404 without detail, slowed down where it goes on (S-1)."""
    try:
        often = not rate_limits.allow(
            f"miss:{address_of(request)}", rate=MISSES_A_SECOND, burst=MISSES_AT_ONCE
        )
    except rate_limits.LimitsUnavailable:
        often = False
    return render(request, "public/unknown.html", status=429 if often else 404)
