"""What a link tells: that it was followed; it leads to the stored address and nowhere else."""

from django.utils.translation import gettext

from registrants import tokens
from registrants.tokens import Scope
from tracking.intake import hits, link_targets
from tracking.intake.responses import NOT_KEPT, Body, Environ, StartResponse, not_allowed, page

CLICK_PATH = Scope.CLICK.path


def answer(environ: Environ, start: StartResponse) -> Body:
    """Lead on to the stored address of a link (S-2); note a GET, never a HEAD (O-5)."""
    method = environ["REQUEST_METHOD"]
    if method not in ("GET", "HEAD"):
        return not_allowed(environ, start)
    named = tokens.read(Scope.CLICK, environ["PATH_INFO"][len(CLICK_PATH) :].rstrip("/"))
    if named is None:
        return _unknown(environ, start)
    delivery, link = named
    try:
        target = link_targets.MAP.target(link)
    except link_targets.TargetsUnavailable:
        return _later(environ, start)
    if target is None:
        return _unknown(environ, start)
    if method == "GET":
        hits.BUFFER.add(hits.pack(hits.CLICKED, delivery, link))
    start("302 Found", [("Location", target), ("Content-Length", "0"), *NOT_KEPT])
    return ()


def _unknown(environ: Environ, start: StartResponse) -> Body:
    message = gettext(
        "It may have been cut off when it was copied. Please open it from the mail itself."
    )
    return page(environ, start, "404 Not Found", gettext("This link is not known here"), message)


def _later(environ: Environ, start: StartResponse) -> Body:
    message = gettext(
        "We cannot look up where this link leads just now. Please try again in a moment."
    )
    title, again = gettext("Please try again"), ("Retry-After", "5")
    return page(environ, start, "503 Service Unavailable", title, message, again)
