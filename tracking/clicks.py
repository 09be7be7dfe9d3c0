"""What a link tells: where it leads, and that it was followed, if its reader allowed that."""

import time
from functools import lru_cache

from django.db import close_old_connections

from newsletter.models import Link
from registrants import tokens
from tracking.stream import Hit, writer

KNOWN = 100_000
"""Targets each web process keeps; the least used go first."""


class Unknown(Exception):
    """No such link: the token is not ours, or its link is gone."""


@lru_cache(maxsize=KNOWN)
def _target(link: int) -> str:
    """Return where a link leads; asked of the database once. Raises Unknown, DatabaseError."""
    close_old_connections()
    url = Link.objects.filter(pk=link).values_list("url", flat=True).first()
    if url is None or not url.startswith(("https://", "http://")) or not url.isprintable():
        raise Unknown
    return str(url)


def target(token: str) -> tuple[str, int, int]:
    """Return the stored target, the delivery and the link a token names (S-2).

    Raises Unknown, or DatabaseError where the link is not known here yet and the database is away.
    """
    named = tokens.read("l", token)
    if named is None:
        raise Unknown
    return _target(named[1]), *named


def followed(delivery: int, link: int) -> None:
    """Note a click."""
    writer.note(Hit("clicked", delivery, link, int(time.time() * 1000)))
