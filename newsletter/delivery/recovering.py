"""Put right what a lost worker left: by its journal where it ran here, by its lease elsewhere."""

import logging
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from newsletter.delivery import journal, transitions
from newsletter.delivery.claiming import settle
from newsletter.delivery.leasing import LeaseInHand, lease_of_row, recount_and_release
from newsletter.fence import Fence, Step, Subject
from newsletter.models import Lease

log = logging.getLogger(__name__)


def recover() -> int:
    """Free the leases of lost workers; return how many were freed."""
    return _recover_here() + _recover_expired()


def recover_attempt(attempt: int) -> None:
    """Put right at once what a run of this process left that failed; else the timetable does."""
    try:
        with journal.left_behind(journal.path_of(attempt)) as left:
            if left is not None:
                recover_by_journal(left)
    except Exception:
        log.exception("attempt %s is left to the timetable", attempt)


def _recover_here() -> int:
    """Free what workers killed on this machine held, by the journals they kept."""
    freed, fence = 0, None
    for path in journal.all_left():
        fence = fence or Fence(Step.RECOVER)
        subject = Subject(Step.RECOVER, number=journal.attempt_of(path))
        if fence.is_held(subject):
            continue
        with fence.around(subject) as this, journal.left_behind(path) as left:
            this.was_made = left is not None
            if left is not None:
                freed += recover_by_journal(left)
    return freed


@transaction.atomic
def recover_by_journal(left: journal.JournalLeft) -> int:
    """Free the leases of one run by the journal of its worker; return how many there were.

    What was answered is settled by its answer, what was never on the wire is staged again, and
    only what was in flight is unknown.
    """
    leases = list(Lease.objects.select_for_update().filter(attempt=left.attempt))
    for lease in leases:
        lost = _free(lease_of_row(lease), left)
        log.warning("lease %s of a lost worker freed, %s unknown", lease.pk, lost)
    return len(leases)


def _free(lease: LeaseInHand, left: journal.JournalLeft) -> int:
    """Put right what one range was left in; return how many of it nobody knows the end of."""
    span = range(lease.first, lease.last + 1)
    went = [delivery for delivery in left.going if delivery in span]
    with connection.cursor() as cursor:
        settle(
            lease=lease, outcomes=[outcome for outcome in left.answered if outcome.delivery in span]
        )
        cursor.execute(transitions.RETURN_ROWS, {**lease._asdict(), "went": went})
        cursor.execute(transitions.LOSE_ROWS, lease._asdict())
        lost = cursor.rowcount
        recount_and_release(cursor, lease, timedelta(0), lease.attempt)
    return lost


def _recover_expired(limit: int = 100) -> int:
    """Free leases held longer than any task runs; what was being handed over is unknown (C-3)."""
    lost = Lease.objects.filter(closed_at=None, until__lt=Now())
    if not lost.exists():
        return 0
    freed, fence = 0, Fence(Step.RECOVER)
    not_yet = [subject.number or 0 for subject in fence.held(Step.RECOVER)]
    some = lost.exclude(pk__in=not_yet).order_by("until").values_list("pk", flat=True)
    for lease_id in list(some[:limit]):
        with fence.around(Subject(Step.RECOVER, number=lease_id)):
            freed += _expire(lost, lease_id)
    return freed


@transaction.atomic
def _expire(lost: QuerySet[Lease], lease_id: int) -> bool:
    row = lost.select_for_update(skip_locked=True).filter(pk=lease_id).first()
    if row is None:
        return False
    lease = lease_of_row(row)
    with connection.cursor() as cursor:
        cursor.execute(transitions.LOSE_ROWS, lease._asdict())
        recount_and_release(cursor, lease, timedelta(0), row.attempt)
    return True
