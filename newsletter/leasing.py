"""Who holds which range of deliveries: take, keep, give back, close what is cancelled."""

import os
import secrets
import socket
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F

from newsletter.models import Lease, Mailing

HOLDS = 300
"""Seconds; longer than a task may run (config.celery), so no lease ends under its worker."""
WORKER = f"{socket.gethostname()}:{os.getpid()}"[-80:]

TAKE = """
UPDATE newsletter_lease SET worker = %s, attempt = %s,
    until = now() + %s * interval '1 second', updated_at = now()
WHERE id = (
    SELECT id FROM newsletter_lease
    WHERE lane = %s AND mailing_id IS NOT DISTINCT FROM %s AND closed_at IS NULL
      AND attempt IS NULL AND due_at <= now()
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, mailing_id, first, last, attempt
"""

KEEP = """
UPDATE newsletter_lease AS lease SET until = now() + %s * interval '1 second'
WHERE lease.id = %s AND lease.attempt = %s AND (lease.mailing_id IS NULL OR EXISTS (
    SELECT FROM newsletter_mailing AS mailing
    WHERE mailing.id = lease.mailing_id AND mailing.state = 'sending'))
"""

RECKON = """
WITH reckoned AS (
    SELECT count(*) FILTER (WHERE state = 'staged') AS staged,
           count(*) FILTER (WHERE state = 'handing_over') AS handing_over,
           count(*) FILTER (WHERE state = 'sent') AS sent,
           count(*) FILTER (WHERE state = 'refused') AS refused,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           count(*) FILTER (WHERE state = 'deferred') AS deferred,
           count(*) FILTER (WHERE state = 'unknown') AS unknown,
           count(*) FILTER (WHERE state = 'unknown' AND decided_at IS NULL) AS undecided,
           min(due_at) FILTER (WHERE state = 'deferred') AS next
    FROM newsletter_delivery
    WHERE id BETWEEN %s AND %s AND mailing_id IS NOT DISTINCT FROM %s)
UPDATE newsletter_lease AS lease SET
    sent = reckoned.sent, refused = reckoned.refused, failed = reckoned.failed,
    deferred = reckoned.deferred, unknown = reckoned.unknown,
    worker = '', attempt = NULL, until = NULL, updated_at = now(),
    due_at = CASE WHEN reckoned.staged > 0 THEN now() + %s * interval '1 second'
                  WHEN reckoned.next IS NOT NULL THEN reckoned.next
                  WHEN reckoned.undecided > 0 THEN now() + interval '100 years'
                  ELSE lease.due_at END,
    closed_at = CASE WHEN reckoned.staged + reckoned.handing_over + reckoned.deferred
                          + reckoned.undecided = 0 THEN now() END
FROM reckoned WHERE lease.id = %s AND lease.attempt IS NOT DISTINCT FROM %s
"""

CANCEL = """
UPDATE newsletter_delivery SET state = 'refused', refusal = 'cancelled', settled_at = now()
WHERE id BETWEEN %s AND %s AND mailing_id = %s AND state IN ('staged', 'deferred')
"""


class Held(NamedTuple):
    """A lease as its worker holds it."""

    id: int
    mailing: int | None
    first: int
    last: int
    attempt: int


def take(lane: str, mailing: int | None) -> Held | None:
    """Take one due range of a mailing (None: one letter), or nothing where none is free."""
    with connection.cursor() as cursor:
        attempt = secrets.randbits(62)
        cursor.execute(TAKE, [WORKER, attempt, HOLDS, lane, mailing])
        row = cursor.fetchone()
    return Held(*row) if row else None


def keep(held: Held) -> bool:
    """Hold on to a lease; False where it is lost, or its mailing is paused or cancelled."""
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [HOLDS, held.id, held.attempt])
        return cursor.rowcount == 1


def give_back(held: Held, *, again_in: timedelta = timedelta(0)) -> None:
    """Give a lease back with the count of how its deliveries stand; closed if all are closed."""
    with connection.cursor() as cursor:
        reckon(cursor, held, again_in, held.attempt)


def reckon(cursor: CursorWrapper, held: Held, again_in: timedelta, attempt: int | None) -> None:
    """Count how the deliveries of a range stand, write it on its lease and set the lease free."""
    cursor.execute(
        RECKON, [held.first, held.last, held.mailing, again_in.total_seconds(), held.id, attempt]
    )


@transaction.atomic
def close_cancelled(limit: int = 200) -> int:
    """Refuse what is open of cancelled mailings, some ranges at a time; return how many ranges."""
    open_ranges = list(
        Lease.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(closed_at=None, attempt=None, mailing__state=Mailing.State.CANCELLED)
        .exclude(sent=F("size") - F("unknown") - F("refused") - F("failed"))[:limit]
    )
    with connection.cursor() as cursor:
        for lease in open_ranges:
            held = held_of(lease)
            cursor.execute(CANCEL, [held.first, held.last, held.mailing])
            reckon(cursor, held, timedelta(0), None)
    return len(open_ranges)


def held_of(lease: Lease) -> Held:
    """Return a lease as whoever last took it held it."""
    return Held(lease.pk, lease.mailing_id, lease.first, lease.last, lease.attempt or 0)
