"""What the answers to a pixel and to a link share: plain WSGI, without a framework."""

from collections.abc import Iterable
from html import escape
from typing import Any

from django.utils.translation import get_language, get_language_bidi, gettext

Environ = dict[str, Any]
StartResponse = Any
Body = Iterable[bytes]

NOT_KEPT = [
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex"),
]
PAGE_HTML = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="/static/public.css">
</head>
<body><main><h1>{title}</h1><p>{message}</p></main></body>
</html>
"""


def page(
    environ: Environ,
    start: StartResponse,
    status: str,
    title: str,
    message: str,
    *more: tuple[str, str],
) -> Body:
    """Answer with a small page of fixed words."""
    body = PAGE_HTML.format(
        language=get_language(),
        direction="rtl" if get_language_bidi() else "ltr",
        title=escape(title),
        message=escape(message),
    ).encode()
    start(
        status,
        [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", "default-src 'none'; style-src 'self'"),
            *NOT_KEPT,
            *more,
        ],
    )
    return () if environ["REQUEST_METHOD"] == "HEAD" else (body,)


def not_allowed(environ: Environ, start: StartResponse) -> Body:
    """Answer any other method than GET and HEAD."""
    allow = ("Allow", "GET, HEAD")
    title, sentence = gettext("Not here"), gettext("Please follow it.")
    return page(environ, start, "405 Method Not Allowed", title, sentence, allow)
