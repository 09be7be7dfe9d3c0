"""What becomes of deliveries nobody knows the end of: a person decides, accept or send again."""

from datetime import timedelta

from django.db import connection, transaction

from accountability import audit
from newsletter.approving import NotPossible
from newsletter.leasing import held_of, reckon
from newsletter.models import Lease, Mailing

ACCEPT = """
UPDATE newsletter_delivery SET decided_at = now()
WHERE id BETWEEN %s AND %s AND mailing_id = %s AND state = 'unknown' AND decided_at IS NULL
"""

RESEND = """
UPDATE newsletter_delivery SET state = 'staged', settled_at = NULL, answer = ''
WHERE id BETWEEN %s AND %s AND mailing_id = %s AND state = 'unknown' AND decided_at IS NULL
"""


@transaction.atomic
def accept(*, mailing: Mailing, staff: int | None) -> int:
    """Leave unknown deliveries as they are and call them closed; raises NotPossible for none."""
    return _decide(mailing, staff, "accept unknown", ACCEPT)


@transaction.atomic
def resend(*, mailing: Mailing, staff: int | None) -> int:
    """Send unknown deliveries again: some people may get the mail twice. Raises NotPossible."""
    if mailing.state not in (Mailing.State.SENDING, Mailing.State.PAUSED):
        raise NotPossible("This mailing is over; nothing of it is sent any more.")
    return _decide(mailing, staff, "resend unknown", RESEND)


def waits(mailing: Mailing) -> bool:
    """Tell whether a decision on unknown deliveries is waited for."""
    return Lease.objects.filter(mailing=mailing, closed_at=None, unknown__gt=0).exists()


def _decide(mailing: Mailing, staff: int | None, act: str, change: str) -> int:
    leases = Lease.objects.select_for_update().filter(
        mailing=mailing, attempt=None, closed_at=None, unknown__gt=0
    )
    decided = 0
    with connection.cursor() as cursor:
        for lease in leases.order_by("pk"):
            held = held_of(lease)
            cursor.execute(change, [held.first, held.last, held.mailing])
            decided += cursor.rowcount
            reckon(cursor, held, timedelta(0), None)
    if not decided:
        raise NotPossible("No delivery is unknown by now; somebody may have decided already.")
    audit.record(
        act=act, subject=mailing, staff=staff, client=mailing.client_id, deliveries=decided
    )
    return decided
