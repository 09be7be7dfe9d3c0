"""The mailing's life: schedule, send, pause, resume, cancel, each guarded by the old state."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now

from accountability import audit
from newsletter.models import Lease, Mailing, Sender
from newsletter.pace import breakers

State = Mailing.State
LATE = timedelta(hours=1)
"""What comes due longer ago than this was meant for another hour: a person decides."""


class NotPossible(Exception):
    """The mailing is not in a state from which this can be done; says which and why."""


def _move(
    mailing: Mailing, act: str, staff: int | None, old: tuple[str, ...] | Q, **new: Any
) -> None:
    """Move a mailing from one of the old states; raise NotPossible where another came first."""
    was = old if isinstance(old, Q) else Q(state__in=old)
    moved = Mailing.objects.filter(was, pk=mailing.pk).update(updated_at=now(), **new)
    mailing.refresh_from_db()
    if not moved:
        raise NotPossible(
            f"This {mailing.get_kind_display()} is {mailing.get_state_display()} by now,"
            f" so it cannot be asked to {act}. Somebody may have been faster; nothing was done."
        )
    audit.record(act=act, subject=mailing, staff=staff, client=mailing.client_id)


def _waits_for_a_person() -> Q:
    return Q(state=State.DRAFT) | Q(state=State.SCHEDULED, scheduled_at__lt=now() - LATE)


def is_overdue(mailing: Mailing) -> bool:
    """Tell whether its time came long ago while nothing could start it (the system was down)."""
    at = mailing.scheduled_at
    return mailing.state == State.SCHEDULED and at is not None and at < now() - LATE


def overdue(mailings: QuerySet[Any]) -> QuerySet[Any]:
    """Return those that came due while nothing could start them and wait for a person."""
    return mailings.filter(state=State.SCHEDULED, scheduled_at__lt=now() - LATE)


@transaction.atomic
def send_now(*, mailing: Mailing, staff: int | None) -> None:
    """Start a draft, or one that is overdue; of two people, the second gets NotPossible."""
    _move(
        mailing,
        "send",
        staff,
        _waits_for_a_person(),
        state=State.STAGING,
        started_at=now(),
        scheduled_at=None,
    )


@transaction.atomic
def schedule(*, mailing: Mailing, at: datetime, staff: int | None) -> None:
    """Have a draft start by itself, or one that is overdue; a time that is past: NotPossible."""
    if at <= now():
        raise NotPossible("This time is past; choose a later one or send now.")
    old = _waits_for_a_person()
    _move(mailing, "schedule", staff, old, state=State.SCHEDULED, scheduled_at=at)


@transaction.atomic
def unschedule(*, mailing: Mailing, staff: int | None) -> None:
    """Make a scheduled mailing a draft again, so that it can be changed."""
    _move(mailing, "unschedule", staff, (State.SCHEDULED,), state=State.DRAFT, scheduled_at=None)


@transaction.atomic
def pause(*, mailing: Mailing, staff: int | None, reason: str = "") -> None:
    """Stop handing over; what is on the wire ends, nothing new begins."""
    _move(
        mailing,
        "pause",
        staff,
        (State.STAGING, State.SENDING),
        state=State.PAUSED,
        waiting_reason=reason[:500],
        waiting_until=None,
    )


@transaction.atomic
def stop(*, mailing: int, reason: str) -> bool:
    """Pause what is under way because something is wrong, in words for people.

    Returns whether it was under way: of several workers that see the same, one stops it and is
    in the audit trail as the system.
    """
    stopped = Mailing.objects.filter(pk=mailing, state__in=(State.STAGING, State.SENDING)).update(
        state=State.PAUSED,
        waiting_reason=f"It stopped by itself. {reason}"[:500],
        waiting_until=None,
        updated_at=now(),
    )
    if stopped:
        stopped_mailing = Mailing.objects.defer("compiled", "body").get(pk=mailing)
        audit.record(
            act="stop", subject=stopped_mailing, client=stopped_mailing.client_id, why=reason[:500]
        )
    return bool(stopped)


@transaction.atomic
def resume(*, mailing: Mailing, staff: int | None) -> None:
    """Go on where it was paused; what made it stop by itself is looked at afresh."""
    mailing.refresh_from_db()
    on = State.STAGING if mailing.staged is None else State.SENDING
    _move(
        mailing,
        "resume",
        staff,
        (State.PAUSED,),
        state=on,
        waiting_reason="",
        waiting_until=None,
    )
    senders = _senders(mailing)
    transaction.on_commit(lambda: breakers.forget(senders, mailing.pk))


def _senders(mailing: Mailing) -> list[int]:
    """Return the sender of a mailing and those that may stand in for it."""
    sender_ids: list[int] = []
    sender: Sender | None = mailing.sender
    while sender is not None and sender.pk not in sender_ids:
        sender_ids.append(sender.pk)
        sender = sender.fallback
    return sender_ids


@transaction.atomic
def cancel(*, mailing: Mailing, staff: int | None) -> None:
    """Send nothing more, for good; what is open is refused as cancelled."""
    under_way = (State.SCHEDULED, State.STAGING, State.SENDING, State.PAUSED)
    _move(mailing, "cancel", staff, under_way, state=State.CANCELLED, finished_at=now())


def start_due(*, moment: datetime | None = None) -> int:
    """Start every scheduled mailing whose time has come; return how many (C-13).

    The moment is told by whoever has a clock that all machines share; else it is this machine's.
    What came due more than an hour ago is left for a person (`is_overdue`).
    """
    moment = moment or now()
    due = Mailing.objects.filter(
        state=State.SCHEDULED, scheduled_at__lte=moment, scheduled_at__gte=moment - LATE
    )
    return sum(_start(mailing, moment) for mailing in due.defer("compiled", "body"))


@transaction.atomic
def _start(mailing: Mailing, moment: datetime) -> bool:
    started = Mailing.objects.filter(
        pk=mailing.pk, state=State.SCHEDULED, scheduled_at__lte=moment
    ).update(state=State.STAGING, started_at=moment)
    if started:
        audit.record(act="start", subject=mailing, client=mailing.client_id)
    return bool(started)


def wait(*, mailing: int, reason: str, until: datetime | None) -> None:
    """Note that a mailing waits for its mail server, why, and until when it is tried again."""
    Mailing.objects.filter(pk=mailing).update(waiting_reason=reason[:500], waiting_until=until)


def go_on(*, mailing: int) -> None:
    """Note that the mail server takes mail again."""
    Mailing.objects.filter(pk=mailing, state=State.SENDING).exclude(waiting_reason="").update(
        waiting_reason="", waiting_until=None
    )


def finish_done() -> int:
    """Call every mailing sent whose deliveries are all closed; return how many."""
    still_open = Lease.objects.filter(mailing=OuterRef("pk"), closed_at=None)
    done = Mailing.objects.filter(~Exists(still_open), state=State.SENDING)
    if not done.exists():
        return 0
    with transaction.atomic():  # nobody opens a range again between the look and the word
        looked_at = list(done.select_for_update(skip_locked=True).values_list("pk", flat=True))
        return done.filter(pk__in=looked_at).update(
            state=State.SENT, finished_at=now(), waiting_reason="", waiting_until=None
        )
