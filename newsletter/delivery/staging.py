"""Freeze the audience into deliveries: one statement, repeatable."""

import logging

from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Exists, OuterRef
from django.utils.timezone import now

from newsletter import sandbox
from newsletter.content import compiling
from newsletter.fence import Fence, Foreseen, Step, of_mailing
from newsletter.mailings import freezing, lifecycle
from newsletter.mailings.audience import question
from newsletter.models import Delivery, Lease, Link, Mailing
from registrants import gate
from registrants.models import Enrolment, Registrant, Subscription, Suppression

log = logging.getLogger(__name__)
LEASE_SIZE = 2_500
COMPILE_TRIES = 3
STAGING_LOCK = 0x68656565  # the advisory lock of staging
LANES = {
    Mailing.Kind.CAMPAIGN: Lease.Lane.CAMPAIGNS,
    Mailing.Kind.NOTICE: Lease.Lane.NOTICES,
}
ASKED = (Registrant, Subscription, Suppression, Enrolment, Delivery)
"""The tables the gate looks at, and the one it fills."""
OUTGROWN = """
SELECT relname FROM pg_class WHERE oid = ANY(%s::regclass[])
  AND (reltuples < 0 OR pg_relation_size(oid) / 8192 > relpages * 1.2 + 10
       OR pg_stat_get_xact_tuples_inserted(oid) > reltuples * 0.2 + 50)
"""
"""By pages, and by what this transaction inserted: new rows may fill the pages of deleted ones."""

STAGE = """
WITH staged AS (
    INSERT INTO newsletter_delivery
        (mailing_id, registrant_id, letter, state, refusal, tries, opens, clicks, answer)
    SELECT %s, person.id, '', 'staged', '', 0, false, false, '' FROM ({allowed}) AS person
    RETURNING id
)
INSERT INTO newsletter_lease (lane, mailing_id, first, last, size, worker)
SELECT %s, %s, min(id), max(id), count(*), '' FROM staged GROUP BY id / {size}
RETURNING size
"""


@transaction.atomic
def stage(mailing_id: int) -> int | None:
    """Turn one mailing's audience into deliveries and leases; return how many deliveries.

    Returns None where the mailing is not to be staged, or another worker stages one. A crash leaves
    nothing behind: the mailing is staged again from the start.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [STAGING_LOCK])
        if not cursor.fetchone()[0]:
            return None
    mailing = (
        Mailing.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk=mailing_id, state=Mailing.State.STAGING)
        .first()
    )
    if mailing is None:
        return None
    gate_question = question(mailing)
    _frozen(mailing)
    mailing.staged = _insert(mailing, gate_question)
    staged_already = Delivery.objects.filter(mailing=mailing.pk, registrant=OuterRef("pk"))
    mailing.left_out = gate.refused(gate_question, among=~Exists(staged_already))
    if mailing.kind == Mailing.Kind.NOTICE:
        mailing.overridden = gate.overridden(gate_question)
    lifecycle.begin_sending(mailing=mailing)
    return mailing.staged


def _frozen(mailing: Mailing) -> None:
    """Give the links of the frozen mail their rows; one that an older version scheduled freezes.

    Their ids are few (2**24), so they are given out here: a schedule is taken back more often.
    """
    if mailing.frozen_at is None:
        freezing.freeze(mailing)
        mailing.frozen_at = now()
    if mailing.kind == Mailing.Kind.CAMPAIGN:
        Link.objects.bulk_create(
            [
                Link(mailing=mailing, position=position, url=url)
                for position, url in enumerate(freezing.mail_of(mailing).links)
            ]
        )


def _insert(mailing: Mailing, gate_question: gate.Question) -> int:
    allowed, params = (
        gate.allowed(gate_question).order_by("pk").values("id").query.sql_with_params()
    )
    lane = LANES[Mailing.Kind(mailing.kind)]
    with connection.cursor() as cursor:
        _look_again(cursor)
        cursor.execute(
            STAGE.format(allowed=allowed, size=LEASE_SIZE),
            [mailing.pk, *params, lane, mailing.pk],
        )
        staged = sum(size for (size,) in cursor.fetchall())
        _look_again(cursor)
        return staged


def _look_again(cursor: CursorWrapper) -> None:
    """Have the planner look at tables that grew by a fifth since it last did.

    People who were imported a moment ago would be looked for one by one in all the others; a list
    of a million fresh deliveries took a second and a half where nobody had looked.
    """
    cursor.execute(OUTGROWN, [[model._meta.db_table for model in ASKED]])
    for (table,) in cursor.fetchall():
        cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")


def stage_due() -> int:
    """Stage every mailing that was started, one at a time; return how many were staged.

    One whose content cannot be compiled any more is paused with the reason; one that fails
    unforeseen is set aside, and the others go on.
    """
    started = list(
        Mailing.objects.filter(state=Mailing.State.STAGING)
        .order_by("started_at")
        .only("client", "kind")
    )
    fence, done = Fence(Step.STAGE) if started else None, 0
    for mailing in started:
        subject = of_mailing(Step.STAGE, mailing)
        if fence is not None and not fence.is_held(subject):
            with fence.around(subject) as this:
                is_staged = _stage_or_pause(mailing.pk, failed=fence.times(subject))
                this.was_made = is_staged is not None
                done += bool(is_staged)
    return done


def _stage_or_pause(mailing_id: int, *, failed: int) -> bool | None:
    """Stage a mailing, or pause it for a fault of its content; None where nothing was done.

    Time or memory used up in compiling counts as a fault at the third try.
    """
    try:
        return None if stage(mailing_id) is None else True
    except sandbox.UsedUp as used_up:
        if failed + 1 < COMPILE_TRIES:
            raise Foreseen(f"It could not be made into a mail yet: {used_up}") from None
        return _pause(mailing_id, used_up)
    except compiling.SourceErrors as faults:
        return _pause(mailing_id, faults)
    except SoftTimeLimitExceeded:
        raise Foreseen("Staging took too long and was broken off; nothing of it is sent.") from None


def _pause(mailing_id: int, faults: compiling.SourceErrors) -> bool:
    log.warning("mailing %s cannot be staged: %s", mailing_id, faults)
    reason = f"The content has a fault: {faults}"
    lifecycle.pause_for_fault(mailing=mailing_id, reason=reason)
    return False
