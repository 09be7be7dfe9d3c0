"""The door in front of Django: pixels and links answered at once, everything else passed on."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from django.db import DatabaseError

from tracking import clicks, opens

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
PRIVATE = [
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex"),
    ("X-Content-Type-Options", "nosniff"),
]
PIXEL_HEADERS = [("Content-Type", "image/gif"), ("Content-Length", "43"), *PRIVATE]
SAFE = "%/:=&?~#+!$,;'@()*[]"


def front(django_app: Application) -> Application:
    """Return an application that answers /i/ and /l/ itself; anybody may call these (O-5, O-6)."""

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if method in ("GET", "HEAD"):
            if path.startswith("/i/"):
                return _pixel(path[3:].rstrip("/"), method, start)
            if path.startswith("/l/"):
                return _link(path[3:].rstrip("/"), method, start)
        return django_app(environ, start)

    return application


def _pixel(token: str, method: str, start: Callable[..., Any]) -> Iterable[bytes]:
    if method == "GET":
        opens.opened(token)
    start("200 OK", PIXEL_HEADERS)
    return [opens.PIXEL if method == "GET" else b""]


def _link(token: str, method: str, start: Callable[..., Any]) -> Iterable[bytes]:
    try:
        url, delivery, link = clicks.target(token)
    except clicks.Unknown:
        return _words(start, "404 Not Found", "This link is not known here.\n")
    except DatabaseError:
        busy = "We cannot look this link up right now. Please try again in a moment.\n"
        return _words(start, "503 Service Unavailable", busy, ("Retry-After", "5"))
    if method == "GET":
        clicks.followed(delivery, link)
    start("302 Found", [("Location", quote(url, safe=SAFE)), ("Content-Length", "0"), *PRIVATE])
    return [b""]


def _words(
    start: Callable[..., Any], status: str, words: str, *more: tuple[str, str]
) -> Iterable[bytes]:
    body = words.encode()
    kind = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start(status, [*kind, *more, *PRIVATE])
    return [body]
