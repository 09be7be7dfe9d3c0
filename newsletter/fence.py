"""What fails unforeseen for one is set aside with its reason and tried again; the others go on."""

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import redis
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now

from newsletter.models import Mailing, SetAside
from redis_store.connection import server

log = logging.getLogger(__name__)
Step = SetAside.Step
State = Mailing.State

FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(minutes=15)
ASIDE_KEPT: Final = timedelta(days=7)
"""What nobody tries again is forgotten after this: the journal of a machine that is gone."""
SYSTEM_TRIES: Final = 5
"""How often the database or Redis may break off under one before that is taken for its own fault:
within TOGETHER of each other, and only where they answered right after."""
TOGETHER: Final = timedelta(minutes=10)
STATES: Final = {
    Step.START: State.SCHEDULED,
    Step.STAGE: State.STAGING,
    Step.SEND: State.SENDING,
    Step.FINISH: State.SENDING,
    Step.CLOSE: State.CANCELLED,
}
"""The state of a mailing in which a step can still fail."""
_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)
_NEVER_SHOWN: Final = re.compile(r"\w+://\S+|\S*@\S*")
_OF_THE_SYSTEM: Final = ("08", "53", "57P", "58", "25006")
"""SQLSTATEs of a server that is away, full, going down or only for reading."""

NOTE: Final = """
INSERT INTO newsletter_setaside AS known (step, mailing_id, client_id, letter, number, reason,
    is_systems, times, since, last_at, due_at)
VALUES (%(step)s, %(mailing)s, %(client)s, %(letter)s, %(number)s, %(reason)s, %(is_systems)s, 1,
    now(), now(), now() + %(first)s)
ON CONFLICT (step, mailing_id, client_id, letter, number) DO UPDATE SET
    reason = excluded.reason, last_at = now(),
    is_systems = excluded.is_systems AND (CASE
        WHEN known.is_systems AND known.last_at < now() - %(together)s THEN 1
        ELSE known.times + 1 END) < %(system_tries)s,
    times = CASE WHEN known.is_systems AND known.last_at < now() - %(together)s THEN 1
        ELSE known.times + 1 END,
    due_at = now() + least(%(longest)s, %(first)s * 2 ^ least(known.times, 20))
RETURNING id, times, due_at, NOT is_systems
"""


class Foreseen(Exception):
    """Something fails for a reason we know, in words for people."""

    def __init__(
        self, reason: str, *, again_in: timedelta = FIRST_WAIT, longest: timedelta = LONGEST_WAIT
    ) -> None:
        super().__init__(reason)
        self.again_in, self.longest = again_in, longest


class Subject(NamedTuple):
    """Whom a step is for: a mailing, one client's letters of a kind, a number, or all (nothing)."""

    step: str
    mailing: int | None = None
    client: int | None = None
    letter: str = ""
    number: int | None = None


class Noted(NamedTuple):
    """What is known of one that is set aside."""

    id: int
    times: int
    due_at: datetime
    is_held: bool
    """Whether it is not to be tried yet, by the clock of the database."""


class Try:
    """One try of a step."""

    was_made = True
    """False where there turned out to be nothing to do: that proves nothing."""
    failure: Noted | None = None


class Fence:
    """What is set aside of some steps as this tick begins; one statement."""

    def __init__(self, *steps: str) -> None:
        is_held = ExpressionWrapper(
            Q(is_systems=False, due_at__gt=Now()), output_field=BooleanField()
        )
        rows = SetAside.objects.filter(step__in=steps).values_list(
            "step", "mailing", "client", "letter", "number", "id", "times", "due_at", is_held
        )
        self._known = {Subject(*row[:5]): Noted(*row[5:]) for row in rows}

    def is_held(self, subject: Subject) -> bool:
        """Tell whether it is not to be tried yet."""
        known = self._known.get(subject)
        return known is not None and known.is_held

    def held_until(self, subject: Subject) -> datetime | None:
        """Return when it is to be tried again; None where it may be now."""
        return self._known[subject].due_at if self.is_held(subject) else None

    def times(self, subject: Subject) -> int:
        """Return how often it failed before this tick."""
        known = self._known.get(subject)
        return known.times if known is not None else 0

    def due(self, step: str) -> list[Subject]:
        """Return those of a step that were set aside and may be tried now."""
        return [it for it in self._known if it.step == step and not self.is_held(it)]

    def held(self, step: str) -> list[Subject]:
        """Return those of a step that are not to be tried yet."""
        return [it for it in self._known if it.step == step and self.is_held(it)]

    @contextmanager
    def around(self, subject: Subject, *, longest: timedelta = LONGEST_WAIT) -> Iterator[Try]:
        """Set aside what fails inside, and go on after it; forget it where it comes through.

        What is the system's own (the database or Redis is away) is raised again: it is nobody's
        fault, and whoever is next would fare alike.
        """
        this = Try()
        try:
            yield this
        except Exception as fault:
            this.failure = self._known[subject] = _note(subject, fault, longest)
            return
        if this.was_made:
            self.came_through(subject)

    def came_through(self, subject: Subject) -> None:
        """Forget what was set aside, where it was."""
        known = self._known.pop(subject, None)
        if known is not None:
            _forget(known, subject)


def of_mailing(step: str, mailing: Mailing) -> Subject:
    """Return the subject of a step for one mailing."""
    return Subject(step, mailing=mailing.pk, client=mailing.client_id)


def _note(subject: Subject, fault: Exception, longest: timedelta) -> Noted:
    """Write down that a step failed; raises the fault again where it is the system's."""
    of_system = is_systems(fault)
    if of_system and not _answers():
        raise fault
    again_in, longest = (
        (fault.again_in, fault.longest) if isinstance(fault, Foreseen) else (FIRST_WAIT, longest)
    )
    reason = _reason(subject, fault)
    log.error(
        "set aside: %s: %s",
        subject,
        reason,
        exc_info=None if isinstance(fault, Foreseen) else fault,
    )
    parameters = subject._asdict() | {
        "reason": reason,
        "is_systems": of_system,
        "first": again_in,
        "longest": longest,
        "together": TOGETHER,
        "system_tries": SYSTEM_TRIES,
    }
    SetAside.objects.filter(due_at__lt=Now() - ASIDE_KEPT).delete()
    with connection.cursor() as cursor:
        cursor.execute(NOTE, parameters)
        noted = Noted(*cursor.fetchone())
    if subject.mailing is not None and noted.is_held:
        Mailing.objects.filter(pk=subject.mailing).update(
            waiting_reason=reason, waiting_until=noted.due_at
        )
    return noted


def is_systems(fault: BaseException) -> bool:
    """Tell whether the database, Redis or the disk failed, rather than what it was asked."""
    if isinstance(fault, OSError) and fault.errno in _DISK:
        return True
    if isinstance(fault, redis.RedisError):
        return not isinstance(fault, redis.ResponseError) or isinstance(
            fault, redis.exceptions.BusyLoadingError | redis.exceptions.ReadOnlyError
            | redis.exceptions.OutOfMemoryError
        )  # fmt: skip
    if not isinstance(fault, OperationalError | InterfaceError):
        return False
    state = getattr(fault.__cause__, "sqlstate", None)
    return state is None or state.startswith(_OF_THE_SYSTEM)


def _answers() -> bool:
    """Tell whether database and Redis answer, by a fresh connection where this one broke."""
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return bool(server().ping())
    except (DatabaseError, InterfaceError, redis.RedisError):
        return False


def _reason(subject: Subject, fault: Exception) -> str:
    """Return the reason in words for people; no address and no URL, whatever the fault says."""
    if isinstance(fault, Foreseen):
        return str(fault)[:500]
    diagnosis = getattr(fault.__cause__, "diag", None)
    detail = str(getattr(diagnosis, "message_primary", None) or fault).strip().partition("\n")[0]
    detail = _NEVER_SHOWN.sub("…", detail)[:200]
    what = f"{type(fault).__name__}: {detail}" if detail else type(fault).__name__
    step = Step(subject.step).label
    return f"Something unforeseen went wrong in {step} ({what})."


def _forget(known: Noted, subject: Subject) -> None:
    """Forget what came through, and the reason its mailing waited for."""
    gone = SetAside.objects.filter(pk=known.id)
    reason = gone.values_list("reason", flat=True).first()
    gone.delete()
    if subject.mailing is not None and reason:
        Mailing.objects.filter(pk=subject.mailing, waiting_reason=reason).update(
            waiting_reason="", waiting_until=None
        )


def shown(rows: QuerySet[SetAside]) -> QuerySet[SetAside]:
    """Return those of the rows that people are told of, the oldest first."""
    still = Q(mailing=None)
    for step, state in STATES.items():
        still |= Q(step=step, mailing__state=state)
    return rows.filter(still, is_systems=False).order_by("since", "pk")


def release(rows: QuerySet[SetAside]) -> int:
    """Have what is set aside be tried again now; return how many."""
    mailings = list(rows.exclude(mailing=None).values_list("mailing", flat=True))
    Mailing.objects.filter(pk__in=mailings).update(waiting_until=None)
    return rows.update(due_at=Now())
