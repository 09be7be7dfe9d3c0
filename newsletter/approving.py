"""The mailing's life: schedule, send, pause, resume, cancel, each guarded by the old state."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.timezone import now

from accountability import audit
from newsletter import breakers
from newsletter.models import Lease, Mailing

State = Mailing.State


class NotPossible(Exception):
    """The mailing is not in a state from which this can be done; says which and why."""


def _move(mailing: Mailing, act: str, staff: int | None, old: tuple[str, ...], **new: Any) -> None:
    """Move a mailing from one of the old states; raise NotPossible where another came first."""
    moved = Mailing.objects.filter(pk=mailing.pk, state__in=old).update(updated_at=now(), **new)
    mailing.refresh_from_db()
    if not moved:
        raise NotPossible(
            f"This {mailing.get_kind_display()} is {mailing.get_state_display()} by now,"
            f" so it cannot be asked to {act}. Somebody may have been faster; nothing was done."
        )
    audit.record(act=act, subject=mailing, staff=staff, client=mailing.client_id)


@transaction.atomic
def send_now(*, mailing: Mailing, staff: int | None) -> None:
    """Start a draft; of two people who press send, one starts it, the other gets NotPossible."""
    _move(
        mailing,
        "send",
        staff,
        (State.DRAFT,),
        state=State.STAGING,
        started_at=now(),
        scheduled_at=None,
    )


@transaction.atomic
def schedule(*, mailing: Mailing, at: datetime, staff: int | None) -> None:
    """Have a draft start by itself; raises NotPossible for a time that is past."""
    if at <= now():
        raise NotPossible("This time is past; choose a later one or send now.")
    _move(mailing, "schedule", staff, (State.DRAFT,), state=State.SCHEDULED, scheduled_at=at)


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
        found = Mailing.objects.defer("compiled", "body").get(pk=mailing)
        audit.record(act="stop", subject=found, client=found.client_id, why=reason[:500])
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
    transaction.on_commit(lambda: breakers.forget(mailing.sender_id, mailing.pk))


@transaction.atomic
def cancel(*, mailing: Mailing, staff: int | None) -> None:
    """Send nothing more, for good; what is open is refused as cancelled."""
    under_way = (State.SCHEDULED, State.STAGING, State.SENDING, State.PAUSED)
    _move(mailing, "cancel", staff, under_way, state=State.CANCELLED, finished_at=now())


def start_due() -> int:
    """Start every scheduled mailing whose time has come; return how many (C-13)."""
    due = Mailing.objects.filter(state=State.SCHEDULED, scheduled_at__lte=now())
    return due.update(state=State.STAGING, started_at=now())


def wait(*, mailing: int, reason: str, until: datetime) -> None:
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
    return done.update(state=State.SENT, finished_at=now(), waiting_reason="", waiting_until=None)
