"""What every request passes on its way in."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotFound
from django.utils import translation
from django.utils.translation import gettext

PLAIN = "text/plain; charset=utf-8"
STAFF_PATHS = ("/admin/", "/staff/")
# unfold's pages evaluate Alpine expressions and carry style attributes; scripts stay in files of
# our own. Campaign HTML is never part of such a page: a preview is a document with its own policy.
STAFF_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "frame-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
}


def behind_proxies(
    answer: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Take address and scheme of a visitor from what the trusted proxies wrote, never from theirs.

    Each proxy adds at the right the one it was asked by; as many from the right are believed as
    proxies are trusted, so that what a visitor wrote stands further left (S-3). From here on
    REMOTE_ADDR is the visitor's, everywhere.
    """

    def arrive(request: HttpRequest) -> HttpResponse:
        if settings.TRUSTED_PROXIES:
            if hop := _hop(request, settings.CLIENT_ADDRESS_HEADER):
                request.META["REMOTE_ADDR"] = _without_port(hop)
            scheme = _hop(request, settings.SCHEME_HEADER).lower()
            if scheme in ("http", "https"):
                request.META["wsgi.url_scheme"] = scheme
        return answer(request)

    return arrive


def _hop(request: HttpRequest, header: str) -> str:
    """Return what the outermost trusted proxy wrote; the first of fewer, nothing of none."""
    hops = [hop.strip() for hop in request.headers.get(header, "").split(",")]
    return hops[-min(settings.TRUSTED_PROXIES, len(hops))]


def _without_port(hop: str) -> str:
    """Return the address of `192.0.2.9`, `192.0.2.9:4711`, `2001:db8::9`, `[2001:db8::9]:4711`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def language_of_the_house(
    answer: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Begin every request in the installation's language, whatever the last one ended in.

    A page that speaks to a client's readers goes over to theirs (registrants.languages).
    """

    def begin(request: HttpRequest) -> HttpResponse:
        with translation.override(settings.LANGUAGE_CODE):
            return answer(request)

    return begin


def staff_hosts_only(
    answer: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Show staff pages under the staff hosts alone; public links answer under every host."""

    def wall(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(STAFF_PATHS):
            host = request.META.get("HTTP_HOST", "").rsplit(":", 1)[0].lower()
            if host and host not in settings.STAFF_HOSTS:
                return HttpResponseNotFound(gettext("Not here."), content_type=PLAIN)
        return answer(request)

    return wall


def no_null_in_staff_addresses(
    answer: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a null character in the address of a staff page: no column of text takes one."""

    def wall(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(STAFF_PATHS):
            query = request.META.get("QUERY_STRING", "")
            if "\0" in request.path or "\0" in query or "%00" in query:
                return HttpResponseBadRequest(gettext("Not here."), content_type=PLAIN)
        return answer(request)

    return wall


def staff_policy(
    answer: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Give staff pages their own content security policy, save where a view set one itself."""

    def page(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path.startswith(STAFF_PATHS) and not hasattr(response, "_csp_replace"):
            response._csp_replace = STAFF_POLICY  # type: ignore[attr-defined]
        return response

    return page


def no_cookies_for_readers(
    answer: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer public pages as if no cookie had come, so that none is ever mended or set (U-20)."""

    def blind(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(STAFF_PATHS):
            request.COOKIES = {}
        return answer(request)

    return blind


def any_host_for_readers(
    answer: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer public pages under our own name whatever host was asked for, a malformed one too.

    Django refuses a host like a_b.example before any view is asked; a link in a mail that went
    out must answer nevertheless (U-20, U-28).
    """
    ours = urlsplit(settings.PUBLIC_URL).netloc

    def deaf(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(STAFF_PATHS):
            request.META["HTTP_HOST"] = ours
        return answer(request)

    return deaf
