"""How a run goes: receiver by receiver, over time, who works at it, and what servers said last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Min, Q
from django.utils.timezone import now

from newsletter import pace
from newsletter.models import Delivery, Lease, Mailing, Receiver, Sender
from newsletter.models.lease import join_deliveries
from newsletter.pace import ReceiverPace, SenderPace
from newsletter.receivers.reply_classes import gist
from newsletter.senders import routing

State = Mailing.State
POINTS = 40
REPLY_ROWS_SHOWN = 10
NOBODY_AT_IT = 15
"""Seconds after which a range that is due and in nobody's hands is worth a word."""

RECEIVED = """
SELECT receiver.key::int, state.key, sum(state.value::int)
FROM newsletter_lease AS lease, jsonb_each(lease.receivers) AS receiver,
     jsonb_each_text(receiver.value) AS state
WHERE lease.mailing_id = %s GROUP BY 1, 2
"""

# Of the leases touched last, along the primary key: a million is never read as a whole.
RECENT_REPLIES = f"""
WITH newest AS (
    SELECT mailing_id, first, last FROM newsletter_lease
    WHERE mailing_id = %s AND failed + deferred + unknown > 0
    ORDER BY updated_at DESC LIMIT 8)
SELECT reply.state, reply.receiver, reply.code, reply.answer, count(*), max(reply.settled_at)
FROM newest AS lease
{
    join_deliveries(
        "reply",
        columns="state, receiver, code, answer, settled_at",
        where="(state IN ('failed', 'unknown') OR state = 'deferred' AND code IS NOT NULL)",
    )
}
GROUP BY 1, 2, 3, 4 ORDER BY 6 DESC LIMIT 500
"""

CURVE = """
SELECT width_bucket(extract(epoch FROM closed_at), %s, %s, %s), sum(size)
FROM newsletter_lease WHERE mailing_id = %s AND closed_at IS NOT NULL GROUP BY 1
"""


@dataclass(frozen=True)
class Receiving:
    """How one receiver takes it: counts of this mailing, pace of its sender."""

    name: str
    sent: int
    deferred: int
    failed: int
    pace: ReceiverPace | None


@dataclass(frozen=True)
class ServerReply:
    """What a server said when it did not take a mail, and how often of late."""

    state: str
    receiver: str
    code: int | None
    words: str
    times: int
    at: datetime


@dataclass(frozen=True)
class Curve:
    """The rate over the run, as points for a picture of 100 by 20."""

    points: str
    most: float


@dataclass(frozen=True)
class PauseReason:
    """Why it waits or goes slowly, and until when."""

    words: str
    until: datetime | None = None


@dataclass(frozen=True)
class RunDetails:
    """How a run goes."""

    receivers: list[Receiving]
    replies: list[ServerReply]
    curve: Curve | None
    reasons: list[PauseReason]
    workers: int
    connections: int
    next_due: datetime | None


def run_details(mailing: Mailing) -> RunDetails:
    """Return how the run of a mailing goes; its sender must be at hand."""
    under_way = mailing.state in (State.STAGING, State.SENDING, State.PAUSED)
    reading = pace.snapshots([mailing.sender_id])[mailing.sender_id] if under_way else None
    leases = Lease.objects.filter(mailing=mailing, closed_at=None).aggregate(
        workers=Count("worker", filter=Q(until__gt=now()), distinct=True),
        next_due=Min("due_at", filter=Q(deferred__gt=0, attempt=None, due_at__gt=now())),
        left=Min("due_at", filter=Q(attempt=None, waits_for_person=False)),
    )
    workers = leases["workers"] if under_way else 0
    return RunDetails(
        receivers=_receivers(mailing, reading),
        replies=_recent_replies(mailing),
        curve=_curve(mailing),
        reasons=_reasons(mailing, reading, leases["left"], workers) if under_way else [],
        workers=workers,
        connections=workers * _connections(mailing.sender),
        next_due=leases["next_due"],
    )


def _connections(sender: Sender) -> int:
    """Return how many connections one worker opens at most to a sender's server."""
    try:
        return routing.wire_settings(sender).connections
    except ValueError:  # settings nobody can send with; the reasons above tell
        return 0


def _rows(statement: str, params: Sequence[int | float]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def _receivers(mailing: Mailing, reading: SenderPace | None) -> list[Receiving]:
    counts: dict[int, dict[str, int]] = {}
    for receiver, state, number in _rows(RECEIVED, [mailing.pk]):
        counts.setdefault(receiver, {})[state] = number
    readings = reading.receivers if reading else ()
    paces = {receiver.receiver: receiver for receiver in readings}
    receivings = [
        Receiving(
            name=str(Receiver(receiver).label),
            sent=states.get("sent", 0),
            deferred=states.get("deferred", 0),
            failed=states.get("failed", 0),
            pace=paces.get(receiver),
        )
        for receiver, states in counts.items()
    ]
    return sorted(
        receivings, key=lambda receiving: -(receiving.sent + receiving.deferred + receiving.failed)
    )


def _recent_replies(mailing: Mailing) -> list[ServerReply]:
    """Return what was said of late, the newest first; what differs by ids alone is one."""
    labels = dict(Delivery.State.choices)
    replies: dict[tuple[str, int | None, int | None, str], tuple[int, datetime]] = {}
    for state, receiver, code, reply_text, times, at in _rows(RECENT_REPLIES, [mailing.pk]):
        key = (state, receiver, code, gist(reply_text))
        known = replies.get(key)
        replies[key] = (times + known[0], known[1]) if known else (times, at)
    shown = list(replies.items())[:REPLY_ROWS_SHOWN]
    return [
        ServerReply(
            state=str(labels[state]),
            receiver="" if receiver is None else str(Receiver(receiver).label),
            code=code,
            words=reply_text,
            times=times,
            at=at,
        )
        for (state, receiver, code, reply_text), (times, at) in shown
    ]


def _curve(mailing: Mailing) -> Curve | None:
    """Return the rate over the run; None where too little is done to draw it."""
    if mailing.started_at is None:
        return None
    began, ends = mailing.started_at.timestamp(), (mailing.finished_at or now()).timestamp()
    ranges = Lease.objects.filter(mailing=mailing, closed_at__isnull=False).count()
    points = min(POINTS, ranges // 2)
    if points < 4 or ends - began < 5:
        return None
    counts = dict(_rows(CURVE, [began, ends, points, mailing.pk]))
    seconds = (ends - began) / points
    rates = [float(counts.get(number, 0)) / seconds for number in range(1, points + 1)]
    most = max(rates) or 1.0
    width = 100 / (points - 1)
    drawn = " ".join(
        f"{number * width:.1f},{20 - 19 * rate / most:.1f}" for number, rate in enumerate(rates)
    )
    return Curve(points=drawn, most=most)


def _reasons(
    mailing: Mailing, reading: SenderPace | None, due_since: datetime | None, workers: int
) -> list[PauseReason]:
    reasons = _own_reasons(mailing)
    if mailing.state == State.PAUSED:
        return reasons
    reasons += _paces_reasons(mailing, reading) if reading else []
    waits = due_since is not None and (now() - due_since).total_seconds() > NOBODY_AT_IT
    if mailing.state == State.SENDING and waits and not workers and not reasons:
        reasons.append(PauseReason("No worker is at it. Is one running? The page “Health” tells."))
    return reasons


def _own_reasons(mailing: Mailing) -> list[PauseReason]:
    reasons = []
    if mailing.waiting_reason:
        reasons.append(PauseReason(mailing.waiting_reason, mailing.waiting_until))
    if mailing.sender.stopped_at is not None:
        stopped_reason = mailing.sender.stopped_reason
        reasons.append(
            PauseReason(f"Its sender “{mailing.sender.name}” was stopped: {stopped_reason}")
        )
    if mailing.kind == Mailing.Kind.CAMPAIGN and mailing.state != State.PAUSED:
        quiet = pace.quiet_until(mailing.sender, now())
        if quiet and not mailing.waiting_reason.startswith("Quiet hours"):
            reasons.append(PauseReason("These are the quiet hours of its sender.", quiet))
    return reasons


def _paces_reasons(mailing: Mailing, reading: SenderPace) -> list[PauseReason]:
    if not reading.known:
        return [PauseReason("Redis cannot be asked: it goes at a safe low rate until it is back.")]
    reasons = []
    if reading.stopped_until:
        sentence = "Its mail server asks to be left alone for a while."
        reasons.append(PauseReason(sentence, reading.stopped_until))
    ceiling, count = reading.warm_up_ceiling, reading.warm_up_count or 0
    if ceiling is not None and mailing.kind == Mailing.Kind.CAMPAIGN:
        sentence = f"Its sender is being warmed up: {count} of {ceiling} campaign mails today."
        reasons.append(
            PauseReason(
                f"{sentence} The others wait for tomorrow." if count >= ceiling else sentence
            )
        )
    return reasons
