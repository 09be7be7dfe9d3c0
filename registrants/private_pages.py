"""What keeps a page behind a token private: no cache, no search engine, no Referer."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

View = Callable[[HttpRequest, str], HttpResponse]


def private(view: View) -> View:
    """Keep a token page out of caches, search engines and Referer headers."""

    @wraps(view)
    def kept(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return kept
