"""The first door of the web process: pixels and links are answered here, the rest by Django."""

from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext

from tracking.intake import clicks, opens
from tracking.intake.responses import Body, Environ, StartResponse, page

STAFF_MOST, READERS_MOST = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE), 1_000_000
"""Bytes of a body that the pages of staff, and those of readers, take at most."""
Application = Callable[[Environ, StartResponse], Body]


def front(django_app: Application) -> Application:
    """Return a WSGI application that answers pixels and links itself and hands on the rest."""

    def application(environ: Environ, start: StartResponse) -> Body:
        beginning = environ.get("PATH_INFO", "")[:3]
        if beginning == opens.PIXEL_PATH:
            return opens.answer(environ, start)
        if beginning == clicks.CLICK_PATH:
            return clicks.answer(environ, start)
        if _declared_bytes(environ) > _most_bytes(environ):
            return _too_large(environ, start)
        return django_app(environ, start)

    return application


def _declared_bytes(environ: Environ) -> int:
    """Return how much a body says it has; without a length none of it is ever read (PEP 3333)."""
    length = environ.get("CONTENT_LENGTH") or "0"
    return int(length[:19]) if length.isascii() and length.isdigit() else 0


def _most_bytes(environ: Environ) -> int:
    is_staff = environ.get("PATH_INFO", "").startswith("/admin/")
    return STAFF_MOST if is_staff else READERS_MOST


def _too_large(environ: Environ, start: StartResponse) -> Body:
    """Answer before a byte of the body is read or kept."""
    message = gettext("What was sent here is larger than anything this page takes.")
    title, close = gettext("This is too large"), ("Connection", "close")
    return page(environ, start, "413 Content Too Large", title, message, close)
