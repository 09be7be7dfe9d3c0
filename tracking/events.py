"""Note what happened, once; the only writer of events."""

import logging
import time
import uuid
from collections.abc import Sequence
from typing import cast

import redis
from django.db import connection, transaction

from newsletter.mailings import delivery_sql
from newsletter.models import Delivery
from registrants import person_sql
from tracking.intake import hits
from tracking.models import Event

log = logging.getLogger(__name__)

SAME_ACT = uuid.UUID("6f0f0a7e-58f6-4f0e-9c1e-0d5a8f2f7a61")
ENTRIES_AT_ONCE = 500
KEPT = 50
"""Events of one delivery, kind and link that are kept: a picture loaded all day is no news."""
ONE_AT_A_TIME = 0x68656564  # the advisory lock of draining
KINDS = {hits.OPENED: Event.Kind.OPENED, hits.CLICKED: Event.Kind.CLICKED}

# The choice that stands now decides, not the one that stood when the mail left (L-45). Each hit's
# rows are looked up by key: what was measured of a ledger just staged, where nobody has been sent a
# pixel yet, must not make the planner compare every hit with every delivery.
NOTE_HITS = f"""
INSERT INTO tracking_event (key, kind, delivery_id, mailing_id, link_id, at)
SELECT hit.key, hit.kind, delivery.id, delivery.mailing_id, link.id,
    to_timestamp(hit.at / 1000.0)
FROM (
    SELECT *, row_number() OVER (PARTITION BY delivery, kind, link ORDER BY at) AS nth
    FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
        AS hit (key, kind, delivery, link, at)
) AS hit
CROSS JOIN LATERAL {delivery_sql.delivery_sql("hit.delivery")} AS delivery
CROSS JOIN LATERAL {person_sql.measurable("delivery.registrant_id")} AS person
LEFT JOIN LATERAL {delivery_sql.link_sql("hit.link", "delivery.mailing_id")} AS link ON true
WHERE delivery.mailing_id IS NOT NULL AND (
    hit.kind = 'opened' AND delivery.opens AND person.opens
    OR hit.kind = 'clicked' AND delivery.clicks AND person.clicks AND link.id IS NOT NULL)
AND hit.nth + (
    SELECT count(*) FROM tracking_event AS kept
    WHERE kept.delivery_id = delivery.id AND kept.kind = hit.kind
        AND kept.link_id IS NOT DISTINCT FROM link.id
) <= {KEPT}
ON CONFLICT (key) DO NOTHING
"""


@transaction.atomic
def note(*, kind: str, mailing: int, registrant: int) -> None:
    """Note what a registrant did about a mailing they got; doing it again is the same as once."""
    delivery = Delivery.objects.filter(mailing=mailing, registrant=registrant).first()
    if delivery is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tracking_event (key, kind, delivery_id, mailing_id, at)"
            " VALUES (%s, %s, %s, %s, now()) ON CONFLICT (key) DO NOTHING",
            [uuid.uuid5(SAME_ACT, f"{kind}:{delivery.pk}"), kind, delivery.pk, mailing],
        )


def drain_for(seconds: float) -> int:
    """Drain until the stream is empty or the time is over; return how many hits were taken."""
    deadline, taken = time.monotonic() + seconds, 0
    while (now_taken := drain()) and time.monotonic() < deadline:
        taken += now_taken
    return taken + now_taken


def drain(limit: int = 5000) -> int:
    """Take at least `limit` hits from the stream, where there are so many; return how many.

    What is in the database is deleted from the stream after the commit; hits that a crash leaves
    there are read again and known by their keys, so each is noted once. Raises RedisError.
    """
    with hits.server() as stream:
        entries, taken = _note_some(stream, limit)
        if entries:
            stream.xdel(hits.STREAM, *entries)
    return taken


@transaction.atomic
def _note_some(stream: redis.Redis, limit: int) -> tuple[list[bytes], int]:
    """Note some hits under the lock of draining; return the entries they came from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        if not cursor.fetchone()[0]:
            return [], 0
        entries, new_hits = _read(stream, limit)
        if new_hits:
            _insert(new_hits)
    return entries, len(new_hits)


Page = list[tuple[bytes, dict[bytes, bytes]]]
"""Entries of the stream with their fields."""


def _read(stream: redis.Redis, limit: int) -> tuple[list[bytes], list[hits.Hit]]:
    entries: list[bytes] = []
    new_hits: list[hits.Hit] = []
    after = b"-"
    while len(new_hits) < limit:
        page = cast("Page", stream.xrange(hits.STREAM, min=after, count=ENTRIES_AT_ONCE))
        for entry, fields in page:
            entries.append(entry)
            new_hits.extend(hits.unpack(fields.get(hits.FIELD, b"")))
            if len(new_hits) >= limit:
                return entries, new_hits
        if len(page) < ENTRIES_AT_ONCE:
            break
        after = b"(" + entries[-1]
    return entries, new_hits


def _insert(new_hits: Sequence[hits.Hit]) -> int:
    """Note the hits that are known and still allowed; return how many."""
    known = [hit for hit in new_hits if hit.kind in KINDS]
    columns = (
        [hit.key.hex() for hit in known],
        [str(KINDS[hit.kind]) for hit in known],
        [str(hit.delivery) for hit in known],
        [str(hit.link) for hit in known],
        [str(hit.at) for hit in known],
    )
    with connection.cursor() as cursor:
        cursor.execute(NOTE_HITS, [f"{{{','.join(column)}}}" for column in columns])
        return int(cursor.rowcount)
