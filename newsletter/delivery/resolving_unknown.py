"""What becomes of deliveries nobody knows the end of: a person decides, accept or send again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction

from accountability import audit
from accountability.models import AuditEntry
from newsletter.delivery import transitions
from newsletter.delivery.leasing import lease_of_row, recount_and_release
from newsletter.mailings.lifecycle import NotPossible
from newsletter.models import Lease, Mailing
from newsletter.models.lease import IS_UNDECIDED, join_deliveries

ACCEPTED, SENT_AGAIN = "accept unknown", "resend unknown"
GROUPS_SHOWN = 20
"""Groups of words shown one by one."""
SAMPLE = 5
"""People shown of each group."""

UNDECIDED = f"""
SELECT unknown.answer, count(*), min(unknown.settled_at), max(unknown.settled_at),
       (array_agg(unknown.id ORDER BY unknown.id))[1:%s]
FROM newsletter_lease AS lease
{join_deliveries("unknown", columns="id, answer, settled_at", where=IS_UNDECIDED)}
WHERE lease.mailing_id = %s AND lease.unknown > 0 AND lease.closed_at IS NULL
GROUP BY unknown.answer ORDER BY count(*) DESC, unknown.answer
"""


@dataclass(frozen=True)
class Group:
    """Undecided deliveries of which the same was said last."""

    words: str
    count: int
    oldest: datetime
    newest: datetime
    sample: list[int]
    """Some of the deliveries."""


@dataclass(frozen=True)
class Undecided:
    """What waits for a decision, the largest groups first."""

    groups: list[Group]
    count: int
    oldest: datetime | None
    newest: datetime | None

    @property
    def sample(self) -> list[int]:
        """Return some deliveries of every group."""
        return [delivery for group in self.groups for delivery in group.sample]


@dataclass(frozen=True)
class Decided:
    """A decision made before, from the audit trail."""

    at: datetime
    staff: str
    is_sent_again: bool
    count: int
    words: str


def undecided(mailing: Mailing) -> Undecided:
    """Return the undecided deliveries of a mailing, grouped by what was said last."""
    with connection.cursor() as cursor:
        cursor.execute(UNDECIDED, [SAMPLE, mailing.pk])
        groups = [Group(*row) for row in cursor.fetchall()]
    return Undecided(
        groups=groups[:GROUPS_SHOWN],
        count=sum(group.count for group in groups),
        oldest=min((group.oldest for group in groups), default=None),
        newest=max((group.newest for group in groups), default=None),
    )


def decided(mailing: Mailing) -> list[Decided]:
    """Return the decisions made on a mailing so far, the newest first, at most 50."""
    entries = AuditEntry.objects.filter(
        client=mailing.client_id,
        subject=mailing.pk,
        subject_kind__in=("mailing", "campaign", "notice"),
        act__in=(ACCEPTED, SENT_AGAIN),
    ).order_by("-pk")[:50]
    names: dict[Any, Any] = get_user_model().objects.in_bulk(
        [entry.staff for entry in entries if entry.staff]
    )
    return [
        Decided(
            at=entry.at,
            staff=str(names.get(entry.staff, "somebody who is gone")),
            is_sent_again=entry.act == SENT_AGAIN,
            count=entry.detail.get("deliveries", 0),
            words=entry.detail.get("words") or "",
        )
        for entry in entries
    ]


@transaction.atomic
def accept_unknown(*, mailing: Mailing, staff: int | None, answer: str | None = None) -> int:
    """Leave unknown deliveries as they are and call them closed; return how many.

    With an `answer`, only those answered so last. Raises NotPossible where there is none.
    """
    return _decide(mailing, staff, ACCEPTED, transitions.ACCEPT_UNKNOWN_ROWS, answer)


@transaction.atomic
def resend_unknown(*, mailing: Mailing, staff: int | None, answer: str | None = None) -> int:
    """Send unknown deliveries again: some people may get the mail twice. Return how many.

    With an `answer`, only those answered so last. Raises NotPossible where there is none, or where
    the mailing is cancelled: then they can only be accepted.
    """
    if mailing.state not in (Mailing.State.SENDING, Mailing.State.PAUSED):
        raise NotPossible("This mailing is over; nothing of it is sent any more.")
    return _decide(mailing, staff, SENT_AGAIN, transitions.RESEND_UNKNOWN_ROWS, answer)


def waits(mailing: Mailing) -> bool:
    """Tell whether a decision on unknown deliveries is waited for."""
    return Lease.objects.filter(mailing=mailing, closed_at=None, unknown__gt=0).exists()


def _decide(mailing: Mailing, staff: int | None, act: str, change: str, answer: str | None) -> int:
    leases = Lease.objects.select_for_update().filter(
        mailing=mailing, attempt=None, closed_at=None, unknown__gt=0
    )
    done = 0
    with connection.cursor() as cursor:
        for row in leases.order_by("pk"):
            lease = lease_of_row(row)
            cursor.execute(change, {**lease._asdict(), "answer": answer})
            if cursor.rowcount:
                done += cursor.rowcount
                recount_and_release(cursor, lease, timedelta(0), None)
    if not done:
        raise NotPossible(
            "Nothing was decided: somebody may have been faster, or a worker is busy with these"
            " just now. Look again."
        )
    audit.record(
        act=act,
        subject=mailing,
        staff=staff,
        client=mailing.client_id,
        deliveries=done,
        words=answer,
    )
    return done
