"""The mailing's life: schedule, send, pause, resume, cancel, each guarded by the old state."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now

from accountability import audit
from newsletter.fence import Fence, Step, of_mailing, release
from newsletter.mailings import freezing
from newsletter.models import Lease, Mailing
from newsletter.pace import breakers
from newsletter.senders import failover

State = Mailing.State
LATE = timedelta(hours=1)
"""What comes due longer ago than this was meant for another hour: a person decides."""


class Move(NamedTuple):
    """One move of a row's state: from (None: the row is new), to, by which function, and why."""

    old: str | None
    new: str
    act: str
    why: str


MAILING_MOVES: Final = (
    Move(None, State.DRAFT, "add", "somebody begins to write it"),
    Move(State.DRAFT, State.SCHEDULED, "schedule", "its time is set"),
    Move(State.SCHEDULED, State.SCHEDULED, "schedule", "it is overdue and gets a new time"),
    Move(State.SCHEDULED, State.DRAFT, "unschedule", "somebody wants to change it"),
    Move(State.DRAFT, State.STAGING, "send_now", "somebody sends it"),
    Move(State.SCHEDULED, State.STAGING, "send_now", "it is overdue and somebody sends it"),
    Move(State.SCHEDULED, State.STAGING, "start_due", "its time has come"),
    Move(State.STAGING, State.SENDING, "begin_sending", "its deliveries are staged"),
    Move(State.STAGING, State.PAUSED, "pause", "somebody pauses it"),
    Move(State.SENDING, State.PAUSED, "pause", "somebody pauses it"),
    Move(State.STAGING, State.PAUSED, "stop", "it stops by itself"),
    Move(State.SENDING, State.PAUSED, "stop", "it stops by itself"),
    Move(State.STAGING, State.PAUSED, "pause_for_fault", "its content has a fault"),
    Move(State.PAUSED, State.STAGING, "resume", "somebody resumes it before it is staged"),
    Move(State.PAUSED, State.SENDING, "resume", "somebody resumes it"),
    Move(State.SENDING, State.SENT, "finish_done", "no delivery is open"),
    Move(State.SENT, State.SENDING, "reopen", "what failed is sent again"),
    Move(State.SCHEDULED, State.CANCELLED, "cancel", "somebody cancels it"),
    Move(State.STAGING, State.CANCELLED, "cancel", "somebody cancels it"),
    Move(State.SENDING, State.CANCELLED, "cancel", "somebody cancels it"),
    Move(State.PAUSED, State.CANCELLED, "cancel", "somebody cancels it"),
)
"""The life of a mailing. Each function below moves from the states that stand here for it alone."""


class NotPossible(Exception):
    """The mailing is not in a state from which this can be done; says which and why."""


def _before(act: str) -> Q:
    """Return the condition that holds for the states a function moves from."""
    return Q(state__in={move.old for move in MAILING_MOVES if move.act == act})


def _move(mailing: Mailing, act: str, staff: int | None, before: Q, **new: object) -> None:
    """Move a mailing in which `before` holds; raise NotPossible where another came first."""
    seen = (mailing.state, mailing.version)
    moved = Mailing.objects.filter(before, pk=mailing.pk).update(updated_at=now(), **new)
    mailing.refresh_from_db()
    if not moved and mailing.state == seen[0] and mailing.version != seen[1]:
        raise NotPossible("Somebody changed it a moment ago. Look at it again before it goes.")
    if not moved:
        raise NotPossible(
            f"This {mailing.get_kind_display()} is {mailing.get_state_display()} by now,"
            f" so it cannot be asked to {act}. Somebody may have been faster; nothing was done."
        )
    audit.record(act=act, subject=mailing, staff=staff, client=mailing.client_id)


def _waits_for_a_person() -> Q:
    """Return the condition that holds for drafts, and for what is scheduled and overdue."""
    return ~Q(state=State.SCHEDULED) | Q(scheduled_at__lt=now() - LATE)


def _as_frozen(mailing: Mailing) -> tuple[Q, dict[str, object]]:
    """Freeze a mailing that is not yet; return what must hold of its row and what is stored."""
    if mailing.frozen_at is not None:
        return Q(frozen_at=mailing.frozen_at), {}
    if mailing.compiled is None:
        mailing.refresh_from_db()
        freezing.freeze(mailing)
    is_as_seen = Q(frozen_at=None, version=mailing.version)
    return is_as_seen, {"compiled": mailing.compiled, "frozen_at": now()}


def is_overdue(mailing: Mailing) -> bool:
    """Tell whether its time came long ago while nothing could start it (the system was down)."""
    at = mailing.scheduled_at
    return mailing.state == State.SCHEDULED and at is not None and at < now() - LATE


def overdue(mailings: QuerySet[Mailing]) -> QuerySet[Mailing]:
    """Return those that came due while nothing could start them and wait for a person."""
    return mailings.filter(state=State.SCHEDULED, scheduled_at__lt=now() - LATE)


@transaction.atomic
def send_now(*, mailing: Mailing, staff: int | None) -> None:
    """Start a draft, or one that is overdue; of two people, the second gets NotPossible.

    It is frozen by this, as `freezing.freeze` left it or as it stands: SourceErrors where it is no
    mail yet. What was scheduled is frozen already and goes as it was checked then.
    """
    is_as_seen, frozen = _as_frozen(mailing)
    before = _before("send_now") & _waits_for_a_person() & is_as_seen
    new = {"state": State.STAGING, "started_at": now(), "scheduled_at": None}
    _move(mailing, "send", staff, before, **new, **frozen)


@transaction.atomic
def schedule(*, mailing: Mailing, at: datetime, staff: int | None) -> None:
    """Have a draft start by itself, or one that is overdue; a time that is past: NotPossible.

    It is frozen by this, like by `send_now`.
    """
    if at <= now():
        raise NotPossible("This time is past; choose a later one or send now.")
    is_as_seen, frozen = _as_frozen(mailing)
    before = _before("schedule") & _waits_for_a_person() & is_as_seen
    _move(mailing, "schedule", staff, before, state=State.SCHEDULED, scheduled_at=at, **frozen)


@transaction.atomic
def unschedule(*, mailing: Mailing, staff: int | None) -> None:
    """Make a scheduled mailing a draft again, thawed, so that it can be changed."""
    thawed: dict[str, None] = {"scheduled_at": None, "compiled": None, "frozen_at": None}
    _move(mailing, "unschedule", staff, _before("unschedule"), state=State.DRAFT, **thawed)


@transaction.atomic
def pause(*, mailing: Mailing, staff: int | None, reason: str = "") -> None:
    """Stop handing over; what is on the wire ends, nothing new begins."""
    _move(
        mailing,
        "pause",
        staff,
        _before("pause"),
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
    stopped = Mailing.objects.filter(_before("stop"), pk=mailing).update(
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
        _before("resume"),
        state=on,
        waiting_reason="",
        waiting_until=None,
    )
    release(mailing.set_aside.all())
    senders = [sender.pk for sender in failover.chain(mailing.sender)]
    transaction.on_commit(lambda: breakers.forget(senders, mailing.pk))


@transaction.atomic
def try_again(*, mailing: Mailing, staff: int | None) -> None:
    """Have what was set aside of a mailing be tried again now; NotPossible where nothing is."""
    if not release(mailing.set_aside.all()):
        raise NotPossible("Nothing of it is set aside any more.")
    audit.record(act="try again", subject=mailing, staff=staff, client=mailing.client_id)


@transaction.atomic
def cancel(*, mailing: Mailing, staff: int | None) -> None:
    """Send nothing more, for good; what is open is refused as cancelled."""
    before = _before("cancel")
    mailing.set_aside.all().delete()
    _move(mailing, "cancel", staff, before, state=State.CANCELLED, finished_at=now())


def start_due(*, moment: datetime | None = None) -> int:
    """Start every scheduled mailing whose time has come; return how many (C-13).

    The moment is told by whoever has a clock that all machines share; else it is this machine's.
    What came due more than an hour ago is left for a person (`is_overdue`).
    """
    moment = moment or now()
    due = Mailing.objects.filter(
        _before("start_due"), scheduled_at__lte=moment, scheduled_at__gte=moment - LATE
    )
    return _each(Step.START, due, lambda mailing: _start(mailing, moment))


def _each(step: Step, due: QuerySet[Mailing], act: Callable[[Mailing], bool]) -> int:
    """Do one act for each mailing that is due, each behind its fence; return how many it was."""
    mailings, done = list(due.defer("compiled", "body")), 0
    fence = Fence(step) if mailings else None
    for mailing in mailings:
        subject = of_mailing(step, mailing)
        if fence is not None and not fence.is_held(subject):
            with fence.around(subject):
                done += act(mailing)
    return done


@transaction.atomic
def _start(mailing: Mailing, moment: datetime) -> bool:
    started = Mailing.objects.filter(
        _before("start_due"), pk=mailing.pk, scheduled_at__lte=moment
    ).update(state=State.STAGING, started_at=moment)
    if started:
        audit.record(act="start", subject=mailing, client=mailing.client_id)
    return bool(started)


def begin_sending(*, mailing: Mailing) -> None:
    """Have a mailing go out whose deliveries are staged; the caller holds its row."""
    mailing.state = State.SENDING
    mailing.waiting_reason, mailing.waiting_until = "", None
    mailing.save()


def pause_for_fault(*, mailing: int, reason: str) -> None:
    """Pause a mailing whose content cannot be compiled any more, in words for people."""
    Mailing.objects.filter(_before("pause_for_fault"), pk=mailing).update(
        state=State.PAUSED, waiting_reason=reason[:500], updated_at=now()
    )


def reopen(*, mailing: int) -> None:
    """Have a mailing that was sent be under way again, since some of it goes again."""
    Mailing.objects.filter(_before("reopen"), pk=mailing).update(
        state=State.SENDING, finished_at=None
    )


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
    done = Mailing.objects.filter(_before("finish_done"), ~Exists(still_open))

    @transaction.atomic  # nobody opens a range again between the look and the word
    def finish(mailing: Mailing) -> bool:
        locked = done.select_for_update(skip_locked=True).filter(pk=mailing.pk)
        if not locked.values_list("pk", flat=True):
            return False
        mailing.set_aside.exclude(step=Step.FINISH).delete()
        new = {"finished_at": now(), "waiting_reason": "", "waiting_until": None}
        return bool(done.filter(pk=mailing.pk).update(state=State.SENT, **new))

    return _each(Step.FINISH, done, finish)
