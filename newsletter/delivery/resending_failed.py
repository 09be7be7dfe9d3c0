"""Sending again what failed, and leaving alone who has no such address."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accountability import audit
from newsletter.delivery import transitions
from newsletter.delivery.leasing import LeaseInHand, lease_of_row, recount_and_release
from newsletter.mailings import lifecycle
from newsletter.mailings.lifecycle import NotPossible
from newsletter.models import Lease, Mailing
from newsletter.models.lease import join_deliveries
from newsletter.receivers.reply_classes import Meaning, gist, meaning

State = Mailing.State
STATES_TO_RETRY = (State.SENDING, State.PAUSED, State.SENT)
REPLIES_SHOWN = 10

FAILED = f"""
SELECT failed.code, failed.answer, count(*)
FROM newsletter_lease AS lease
{join_deliveries("failed", columns="code, answer", where="state = 'failed'")}
WHERE lease.mailing_id = %s AND lease.failed > 0
GROUP BY failed.code, failed.answer ORDER BY count(*) DESC
"""

FAILED_OF = """
SELECT id, code, answer FROM newsletter_delivery
WHERE id BETWEEN %s AND %s AND mailing_id IS NOT DISTINCT FROM %s AND state = 'failed'
"""


@dataclass(frozen=True)
class FailureReply:
    """How often a server said the same."""

    code: int | None
    words: str
    count: int


@dataclass(frozen=True)
class Failures:
    """What failed and may go again, and what is left because nobody has that address."""

    again: int
    gone: int
    replies_again: list[FailureReply]
    replies_gone: list[FailureReply]


def failures(mailing: Mailing) -> Failures:
    """Return how many deliveries failed and why, apart by whether sending again can help."""
    with connection.cursor() as cursor:
        cursor.execute(FAILED, [mailing.pk])
        rows = cursor.fetchall()
    again: Counter[tuple[int | None, str]] = Counter()
    gone: Counter[tuple[int | None, str]] = Counter()
    for code, answer, count in rows:
        (gone if _is_gone(code, answer) else again)[code, gist(answer)] += count
    return Failures(again.total(), gone.total(), _most_frequent(again), _most_frequent(gone))


def _most_frequent(counts: Counter[tuple[int | None, str]]) -> list[FailureReply]:
    return [
        FailureReply(code, answer, count)
        for (code, answer), count in counts.most_common(REPLIES_SHOWN)
    ]


@transaction.atomic
def resend_failed(*, mailing: Mailing, staff: int | None) -> int:
    """Stage again what failed, save where nobody has the address (B-7); return how many.

    A mailing that was sent is under way again; a paused one stays so. The gate is asked again when
    they are handed over. Raises NotPossible where nothing can go again.
    """
    locked = Mailing.objects.select_for_update().defer("compiled", "body").get(pk=mailing.pk)
    if locked.state not in STATES_TO_RETRY:
        raise NotPossible("This mailing is cancelled; nothing of it is sent any more.")
    leases = Lease.objects.select_for_update().filter(mailing=mailing, attempt=None, failed__gt=0)
    with connection.cursor() as cursor:
        staged = sum(_again(cursor, lease_of_row(lease)) for lease in leases.order_by("pk"))
    if not staged:
        raise NotPossible("Nothing that failed can be sent again.")
    lifecycle.reopen(mailing=mailing.pk)
    audit.record(
        act="retry",
        subject=mailing,
        staff=staff,
        client=mailing.client_id,
        deliveries=staged,
    )
    mailing.refresh_from_db(fields=["state", "finished_at"])
    return staged


def _again(cursor: CursorWrapper, lease: LeaseInHand) -> int:
    cursor.execute(FAILED_OF, [lease.first, lease.last, lease.mailing])
    again = [pk for pk, code, answer in cursor.fetchall() if not _is_gone(code, answer)]
    if not again:
        return 0
    cursor.execute(transitions.RESEND_FAILED_ROWS, {**lease._asdict(), "again": again})
    staged = int(cursor.rowcount)
    recount_and_release(cursor, lease, timedelta(0), None)
    return staged


def _is_gone(code: int | None, answer: str) -> bool:
    return meaning(code or 0, "", answer) == Meaning.GONE
