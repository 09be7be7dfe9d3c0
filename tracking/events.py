"""Note what happened, once; the only writer of events."""

from functools import cache
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import now

from newsletter.models import Delivery
from tracking.models import Event
from tracking.stream import NAME

LOCK = 0x48454544
"""The advisory lock of whoever drains the stream."""

NOTE_HITS = """
INSERT INTO tracking_event (key, kind, delivery_id, mailing_id, link_id, at)
SELECT hit.key, hit.kind, delivery.id, delivery.mailing_id, link.id,
       to_timestamp(hit.at / 1000.0)
FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
     AS hit (key, kind, delivery, link, at)
JOIN newsletter_delivery AS delivery ON delivery.id = hit.delivery
JOIN registrants_registrant AS person ON person.id = delivery.registrant_id
LEFT JOIN newsletter_link AS link
    ON link.id = hit.link AND link.mailing_id = delivery.mailing_id
WHERE delivery.mailing_id IS NOT NULL AND person.erased_at IS NULL
  AND (hit.kind = 'opened' AND delivery.opens AND person.opens = 'granted'
    OR hit.kind = 'clicked' AND delivery.clicks AND person.clicks = 'granted'
       AND link.id IS NOT NULL)
ON CONFLICT (key) DO NOTHING
"""


@transaction.atomic
def note(*, kind: str, mailing: int, registrant: int) -> None:
    """Note that something happened to one delivery of a mailing, at most once a kind."""
    delivery = Delivery.objects.filter(mailing=mailing, registrant=registrant).first()
    if delivery is None or Event.objects.filter(delivery=delivery, kind=kind).exists():
        return
    Event.objects.create(
        key=uuid4(), kind=kind, delivery=delivery, mailing_id=mailing, at=now()
    )


@cache
def _server(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=1)


def drain(limit: int = 5000) -> int:
    """Move hits from the stream into events; return how many were read.

    What a reader no longer allows is dropped here, for mail already sent too (L-45). A crash
    between the two steps repeats the first, which the key makes harmless (B-8).
    """
    server = _server(settings.REDIS_URL)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        entries: list[Any] = server.xrange(NAME, count=limit)  # type: ignore[assignment]
        if not entries:
            return 0
        hits = [_columns(fields) for _, fields in entries]
        cursor.execute(NOTE_HITS, [list(column) for column in zip(*hits, strict=True)])
    server.xdel(NAME, *(number for number, _ in entries))
    return len(entries)


def _columns(fields: dict[bytes, bytes]) -> tuple[str, str, int, int, int]:
    return (
        fields[b"k"].decode(),
        fields[b"e"].decode(),
        int(fields[b"d"]),
        int(fields[b"l"]),
        int(fields[b"t"]),
    )
