"""Who holds which range of deliveries: take, keep, give back, close what is cancelled."""

import os
import secrets
import socket
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F, QuerySet

from newsletter.delivery import transitions
from newsletter.fence import Fence, Step, Subject
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
      AND attempt IS NULL AND due_at <= now() AND NOT waits_for_person
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, mailing_id, first, last, attempt
"""

TAKE_LETTER = """
UPDATE newsletter_lease SET worker = %s, attempt = %s,
    until = now() + %s * interval '1 second', updated_at = now()
WHERE id = (
    SELECT id FROM newsletter_lease
    WHERE lane = 'letters' AND closed_at IS NULL AND client_id = %s AND letter = %s
      AND attempt IS NULL AND due_at <= now() AND NOT waits_for_person
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, mailing_id, first, last, attempt
"""

# From client to client along the index, so that a client's many letters are not read.
LETTERS_DUE = """
WITH RECURSIVE kind AS (
    (SELECT client_id, letter FROM newsletter_lease
     WHERE lane = 'letters' AND closed_at IS NULL AND client_id IS NOT NULL
     ORDER BY client_id, letter LIMIT 1)
    UNION ALL
    SELECT following.client_id, following.letter FROM kind CROSS JOIN LATERAL (
        SELECT client_id, letter FROM newsletter_lease
        WHERE lane = 'letters' AND closed_at IS NULL
          AND (client_id, letter) > (kind.client_id, kind.letter)
        ORDER BY client_id, letter LIMIT 1) AS following)
SELECT kind.client_id, kind.letter FROM kind CROSS JOIN LATERAL (
    SELECT due_at FROM newsletter_lease
    WHERE lane = 'letters' AND closed_at IS NULL
      AND client_id = kind.client_id AND letter = kind.letter
      AND attempt IS NULL AND due_at <= now() AND NOT waits_for_person
    ORDER BY due_at LIMIT 1) AS oldest
ORDER BY oldest.due_at
"""

COUNTED_SQL = """
counted AS (
    SELECT receiver, state, count(*) AS number,
           count(*) FILTER (WHERE decided_at IS NULL) AS undecided, min(due_at) AS next
    FROM newsletter_delivery
    WHERE id BETWEEN %s AND %s AND mailing_id IS NOT DISTINCT FROM %s
    GROUP BY receiver, state),
reckoned AS (
    SELECT coalesce(sum(number) FILTER (WHERE state = 'staged'), 0) AS staged,
           coalesce(sum(number) FILTER (WHERE state = 'handing_over'), 0) AS handing_over,
           coalesce(sum(number) FILTER (WHERE state = 'sent'), 0) AS sent,
           coalesce(sum(number) FILTER (WHERE state = 'refused'), 0) AS refused,
           coalesce(sum(number) FILTER (WHERE state = 'failed'), 0) AS failed,
           coalesce(sum(number) FILTER (WHERE state = 'deferred'), 0) AS deferred,
           coalesce(sum(number) FILTER (WHERE state = 'unknown'), 0) AS unknown,
           coalesce(sum(undecided) FILTER (WHERE state = 'unknown'), 0) AS undecided,
           min(next) FILTER (WHERE state = 'deferred') AS next
    FROM counted),
received AS (
    SELECT jsonb_object_agg(receiver, states) AS receivers FROM (
        SELECT receiver, jsonb_object_agg(state, number) AS states FROM counted
        WHERE receiver IS NOT NULL GROUP BY receiver) AS by_receiver)
"""

COUNT_LEASE = f"""
WITH {COUNTED_SQL}
UPDATE newsletter_lease AS lease SET
    sent = reckoned.sent, refused = reckoned.refused, failed = reckoned.failed,
    deferred = reckoned.deferred, unknown = reckoned.unknown,
    receivers = received.receivers, updated_at = now()
FROM reckoned, received WHERE lease.id = %s AND lease.attempt = %s
"""

RECKON = f"""
WITH {COUNTED_SQL}
UPDATE newsletter_lease AS lease SET
    sent = reckoned.sent, refused = reckoned.refused, failed = reckoned.failed,
    deferred = reckoned.deferred, unknown = reckoned.unknown, receivers = received.receivers,
    worker = '', attempt = NULL, until = NULL, updated_at = now(),
    due_at = CASE WHEN reckoned.staged > 0 THEN now() + %s * interval '1 second'
                  WHEN reckoned.next IS NOT NULL THEN reckoned.next
                  ELSE lease.due_at END,
    waits_for_person = reckoned.undecided > 0 AND reckoned.staged = 0 AND reckoned.next IS NULL,
    closed_at = CASE WHEN reckoned.staged + reckoned.handing_over + reckoned.deferred
                          + reckoned.undecided = 0 THEN now() END
FROM reckoned, received WHERE lease.id = %s AND lease.attempt IS NOT DISTINCT FROM %s
"""


class LeaseInHand(NamedTuple):
    """A lease as its worker holds it."""

    id: int
    mailing: int | None
    first: int
    last: int
    attempt: int


def new_attempt() -> int:
    """Return the number one run of a worker is known by: it fences what that run may settle."""
    return secrets.randbits(62)


def take(lane: str, mailing: int | None, attempt: int | None = None) -> LeaseInHand | None:
    """Take one due range of a mailing (None: one letter), or nothing where none is free."""
    attempt = attempt or new_attempt()
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [WORKER, attempt, HOLDS, lane, mailing])
        row = cursor.fetchone()
    return LeaseInHand(*row) if row else None


def letters_due() -> list[tuple[int, str]]:
    """Return of whom and which letters are due: client and letter, who waits longest first."""
    with connection.cursor() as cursor:
        cursor.execute(LETTERS_DUE)
        return list(cursor.fetchall())


def take_letter(client: int, letter: str, attempt: int) -> LeaseInHand | None:
    """Take the oldest letter of a kind that is due of a client, or nothing where none is free."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_LETTER, [WORKER, attempt, HOLDS, client, letter])
        row = cursor.fetchone()
    return LeaseInHand(*row) if row else None


def put_off(lease: LeaseInHand, *, until: datetime) -> bool:
    """Have a range that was given back come due only later; False where nothing of it is open."""
    rows = Lease.objects.filter(pk=lease.id, closed_at=None)
    rows.filter(attempt=None).update(due_at=until)
    return rows.exists()


def is_due(mailing: int) -> bool:
    """Tell whether anything of a mailing is in hand or may be taken, now or later by itself."""
    return Lease.objects.filter(mailing=mailing, closed_at=None, waits_for_person=False).exists()


def count(lease: LeaseInHand) -> None:
    """Write down how the deliveries of a range in work stand, for whoever watches."""
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_LEASE, [lease.first, lease.last, lease.mailing, lease.id, lease.attempt]
        )


def give_back(lease: LeaseInHand, *, again_in: timedelta = timedelta(0)) -> None:
    """Give a lease back with the count of how its deliveries stand; closed if all are closed."""
    with connection.cursor() as cursor:
        recount_and_release(cursor, lease, again_in, lease.attempt)


def recount_and_release(
    cursor: CursorWrapper, lease: LeaseInHand, again_in: timedelta, attempt: int | None
) -> None:
    """Count how the deliveries of a range stand, write it on its lease and set the lease free."""
    cursor.execute(
        RECKON,
        [lease.first, lease.last, lease.mailing, again_in.total_seconds(), lease.id, attempt],
    )


def close_cancelled(limit: int = 200) -> int:
    """Refuse what is open of cancelled mailings, some ranges at a time; return how many ranges."""
    due = Lease.objects.filter(closed_at=None, attempt=None, mailing__state=Mailing.State.CANCELLED)
    due = due.exclude(sent=F("size") - F("unknown") - F("refused") - F("failed"))
    if not due.exists():
        return 0
    fence, closed = Fence(Step.CLOSE), 0
    not_yet = [subject.mailing for subject in fence.held(Step.CLOSE)]
    some = due.exclude(mailing__in=not_yet).values_list("pk", "mailing", "mailing__client")
    for lease_id, mailing, client in list(some[:limit]):
        subject = Subject(Step.CLOSE, mailing=mailing, client=client)
        if not fence.is_held(subject):
            with fence.around(subject):
                closed += _close(due, lease_id)
    return closed


@transaction.atomic
def _close(due: QuerySet[Lease], lease_id: int) -> bool:
    row = due.select_for_update(skip_locked=True, of=("self",)).filter(pk=lease_id).first()
    if row is None:
        return False
    lease = lease_of_row(row)
    with connection.cursor() as cursor:
        cursor.execute(transitions.CANCEL_ROWS, lease._asdict())
        recount_and_release(cursor, lease, timedelta(0), None)
    return True


def moment() -> datetime:
    """Return the database's time: the clock all machines share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cast(datetime, cursor.fetchone()[0])


def lease_of_row(row: Lease) -> LeaseInHand:
    """Return a lease as whoever last took it held it."""
    return LeaseInHand(row.pk, row.mailing_id, row.first, row.last, row.attempt or 0)
