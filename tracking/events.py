"""Note what happened, once; the only writer of events."""

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, cast

import redis
from django.db import connection, transaction

from newsletter.fence import Fence, Foreseen, Step, Subject, is_systems
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
ASIDE: Final = "tracking:hits:aside"
"""The stream of hits that could not be noted."""
ASIDE_MOST, ALONE_MOST = 1000, 20
"""Entries kept aside, the oldest go first; bad hits of one call that count as single cases."""
LONGEST_ALL: Final = timedelta(seconds=20)
ALL_HITS, HITS_ASIDE = Subject(Step.DRAIN), Subject(Step.DRAIN, number=0)
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
    """Drain until the stream is empty or the time is over; return how many hits were taken.

    A hit that cannot be noted is kept aside and tried again, the others are noted.
    """
    deadline, taken = time.monotonic() + seconds, 0
    fence = Fence(Step.DRAIN)
    if not fence.is_held(ALL_HITS):
        with fence.around(ALL_HITS, longest=LONGEST_ALL):
            while (now_taken := drain(fence=fence)) and time.monotonic() < deadline:
                taken += now_taken
            taken += now_taken
    if HITS_ASIDE in fence.due(Step.DRAIN):
        with fence.around(HITS_ASIDE):
            _try_again()
    return taken


def drain(limit: int = 5000, *, fence: Fence | None = None) -> int:
    """Take at least `limit` hits from the stream, where there are so many; return how many.

    What is in the database is deleted from the stream after the commit; hits that a crash leaves
    there are read again and known by their keys, so each is noted once. Raises RedisError.
    """
    with hits.server() as stream:
        entries, taken, bad = _note_some(stream, hits.STREAM, limit)
        if bad.alone:
            stream.xadd(
                ASIDE, {hits.FIELD: b"".join(map(hits.packed, bad.alone))}, maxlen=ASIDE_MOST
            )
            with (fence or Fence(Step.DRAIN)).around(HITS_ASIDE):
                raise Foreseen(bad.reason)
        if entries:
            stream.xdel(hits.STREAM, *entries)
    return taken


def _try_again() -> None:
    """Note what was kept aside; raises Foreseen where some of it cannot be noted still."""
    with hits.server() as stream:
        entries, _, bad = _note_some(stream, ASIDE, ALONE_MOST * ASIDE_MOST)
        if bad.alone:
            raise Foreseen(bad.reason)
        if entries:
            stream.xdel(ASIDE, *entries)


@dataclass
class _Bad:
    """Hits that cannot be noted, and what the last of them failed with."""

    alone: list[hits.Hit] = field(default_factory=list)
    fault: Exception | None = None

    @property
    def reason(self) -> str:
        """Say it in words for people."""
        name = type(self.fault).__name__
        return f"{len(self.alone)} opens or clicks cannot be noted ({name}). They are kept."


@transaction.atomic
def _note_some(stream: redis.Redis, name: str, limit: int) -> tuple[list[bytes], int, _Bad]:
    """Note some hits under the lock of draining; return the entries they came from."""
    bad = _Bad()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        if not cursor.fetchone()[0]:
            return [], 0, bad
        entries, new_hits = _read(stream, name, limit)
        if new_hits:
            _insert_fenced(new_hits, bad)
    return entries, len(new_hits), bad


def _insert_fenced(new_hits: Sequence[hits.Hit], bad: _Bad) -> None:
    """Note hits at once; where that fails, by halves, so that the bad ones are found.

    Raises what it fails with where that is the system's, or too many are bad to be single cases.
    """
    try:
        with transaction.atomic():
            _insert(new_hits)
    except Exception as fault:
        if is_systems(fault) or len(bad.alone) >= ALONE_MOST:
            raise
        if len(new_hits) == 1:
            bad.alone += new_hits
            bad.fault = fault
            return
        half = len(new_hits) // 2
        _insert_fenced(new_hits[:half], bad)
        _insert_fenced(new_hits[half:], bad)


Page = list[tuple[bytes, dict[bytes, bytes]]]
"""Entries of the stream with their fields."""


def _read(stream: redis.Redis, name: str, limit: int) -> tuple[list[bytes], list[hits.Hit]]:
    entries: list[bytes] = []
    new_hits: list[hits.Hit] = []
    after = b"-"
    while len(new_hits) < limit:
        page = cast("Page", stream.xrange(name, min=after, count=ENTRIES_AT_ONCE))
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
