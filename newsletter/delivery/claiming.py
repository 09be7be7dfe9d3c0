"""The two transactions around the wire: hand a window over through the gate, then settle it."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, Case, F, Q, Value, When

from newsletter.delivery import leasing
from newsletter.delivery.leasing import LeaseInHand
from newsletter.transports import Outcome
from registrants import gate
from registrants.models import Registrant

LARGEST_WINDOW = 500
PATIENCE = 5
"""How often the wire may break under one delivery before it is put off like a deferred one."""
GOES = 3
"""How often a window is settled where rows of it were changed by somebody in the same moment."""
GIVE_UP_AFTER = 72
"""Hours a deferred delivery is tried again (B-7)."""

BY_KEY = """
SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
"""
# Whatever the statistics say or do not say yet, a window is joined row by row, by key and by place:
# the planner read whole tables, or compared every row with every outcome, when it could choose.
# A row somebody changes in the same moment has another place then, and is left for the next go.

HAND_OVER = """
WITH kept AS (
    UPDATE newsletter_lease AS lease SET until = now() + %s * interval '1 second'
    WHERE lease.id = %s AND lease.attempt = %s AND (lease.mailing_id IS NULL OR EXISTS (
        SELECT FROM newsletter_mailing AS mailing
        WHERE mailing.id = lease.mailing_id AND mailing.state = 'sending'))
    RETURNING id),
held AS MATERIALIZED (
    SELECT id, ctid AS place, registrant_id FROM newsletter_delivery
    WHERE id BETWEEN %s AND %s AND mailing_id IS NOT DISTINCT FROM %s
      AND (state = 'staged' OR state = 'deferred' AND due_at <= now())
      AND EXISTS (SELECT FROM kept)
    ORDER BY id LIMIT %s),
asked AS MATERIALIZED (
    SELECT held.place, person.* FROM held CROSS JOIN LATERAL ({asked} LIMIT 1) AS person),
moved AS (
    UPDATE newsletter_delivery AS delivery SET
        state = CASE WHEN asked.asked = '' THEN 'handing_over' ELSE 'refused' END,
        refusal = asked.asked,
        attempt = %s, tries = delivery.tries + 1, handed_over_at = now(), due_at = NULL,
        settled_at = CASE WHEN asked.asked = '' THEN NULL ELSE now() END,
        opens = %s AND asked.opens = 'granted', clicks = %s AND asked.clicks = 'granted'
    FROM asked WHERE delivery.ctid = asked.place
    RETURNING delivery.id, delivery.state, asked.address, asked.name, asked.attributes,
        asked.subscription, delivery.opens, delivery.clicks)
SELECT * FROM moved ORDER BY id
"""

SETTLE = """
UPDATE newsletter_delivery AS delivery SET
    state = CASE
        WHEN outcome.state = 'held' THEN 'deferred'
        WHEN outcome.state = 'unsent' AND (outcome.words = '' OR delivery.tries < %(patience)s)
        THEN 'staged'
        WHEN outcome.state = 'unsent' THEN 'deferred'
        WHEN outcome.state = 'deferred'
            AND delivery.created_at < now() - %(give_up)s * interval '1 hour'
        THEN 'failed'
        ELSE outcome.state END,
    code = nullif(outcome.code, 0), answer = outcome.words,
    receiver = nullif(outcome.receiver, -1),
    tries = delivery.tries
        - (outcome.state = 'held' OR outcome.state = 'unsent' AND outcome.words = '')::int,
    settled_at = CASE WHEN outcome.state = 'unsent' THEN NULL ELSE now() END,
    due_at = CASE
        WHEN outcome.state = 'held' THEN now() + outcome.wait * interval '1 second'
        WHEN outcome.state = 'deferred'
            OR outcome.state = 'unsent' AND delivery.tries >= %(patience)s
        THEN now() + least(interval '30 minutes' * (1 << least(delivery.tries - 1, 4)),
                           interval '4 hours') END
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(codes)s::int[], %(words)s::text[],
            %(receivers)s::int[], %(waits)s::real[])
    AS outcome (id, state, code, words, receiver, wait)
CROSS JOIN LATERAL (
    SELECT ctid AS place FROM newsletter_delivery AS its
    WHERE its.id = outcome.id AND its.attempt = %(attempt)s AND its.state = 'handing_over'
    LIMIT 1) AS found
WHERE delivery.ctid = found.place
"""


class Ready(NamedTuple):
    """One delivery the gate let through, with what rendering needs of the person."""

    delivery: int
    address: str
    name: str
    attributes: dict[str, str]
    subscription: int | None
    opens: bool
    clicks: bool


class Later(NamedTuple):
    """One delivery that must wait for its pace: how many seconds, and why."""

    delivery: int
    wait: float
    words: str


@lru_cache(maxsize=64)
def _statement(question: gate.Question) -> tuple[str, tuple[Any, ...]]:
    """Return the hand-over's SQL with the gate's question in it.

    Each person is looked up by key in a lateral join, so no statistics can make the planner read a
    whole table for a window of some hundred.
    """
    on_list = question.kind == gate.MailKind.CAMPAIGN
    judged = (
        gate.judged(Registrant.objects.order_by(), question)
        .annotate(
            asked=Case(
                When(~Q(client=question.client), then=Value(gate.Refusal.ERASED.value)),
                default=F("refusal"),
            ),
            subscription=F("on_list__pk") if on_list else Value(None, BigIntegerField()),
        )
        .extra(where=["registrants_registrant.id = held.registrant_id"])
        .values("address", "name", "attributes", "opens", "clicks", "asked", "subscription")
    )
    sql, params = judged.query.sql_with_params()
    return BY_KEY + HAND_OVER.format(asked=sql), params


def hand_over(
    *, lease: LeaseInHand, question: gate.Question, window: int
) -> tuple[list[Ready], int]:
    """Move up to `window` deliveries of a lease to handing over, asking the gate for each.

    Returns those let through and how many were taken in all, refused ones included. One statement,
    one transaction; nothing of it is on the wire before it has committed (C-4, C-6). Nothing is
    taken where the lease is lost or its mailing has been paused or cancelled.
    """
    sql, params = _statement(question)
    measured = question.kind == gate.MailKind.CAMPAIGN
    window = min(window, LARGEST_WINDOW)
    keep = (leasing.HOLDS, lease.id, lease.attempt)
    bounds = (lease.first, lease.last, lease.mailing, window)
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            [*keep, *bounds, *params, lease.attempt, measured, measured],
        )
        while cursor.nextset():
            pass
        rows = cursor.fetchall()
    ready = [
        Ready(row[0], row[2], row[3], _attributes(row[4]), row[5], row[6], row[7])
        for row in rows
        if row[1] == "handing_over"
    ]
    return ready, len(rows)


def _attributes(value: object) -> dict[str, str]:
    if value == "{}":
        return {}
    attributes = json.loads(value) if isinstance(value, str) else value
    return attributes if isinstance(attributes, dict) else {}


def settle(
    *,
    lease: LeaseInHand,
    outcomes: Sequence[Outcome],
    later: Sequence[Later] = (),
    receivers: Mapping[int, int] | None = None,
) -> int:
    """Write down how a window ended, where this attempt still holds it; return how many rows.

    `later` are those held back for their pace; `receivers` says whose mail server each of them is.
    """
    of = receivers or {}
    params: dict[str, Any] = {
        "ids": [outcome.delivery for outcome in outcomes]
        + [postponed.delivery for postponed in later],
        "states": [outcome.state for outcome in outcomes] + ["held"] * len(later),
        "codes": [outcome.code for outcome in outcomes] + [0] * len(later),
        "words": [f"{outcome.enhanced} {outcome.words}".strip()[:500] for outcome in outcomes]
        + [postponed.words for postponed in later],
        "waits": [0.0] * len(outcomes) + [float(postponed.wait) for postponed in later],
        "attempt": lease.attempt,
        "patience": PATIENCE,
        "give_up": GIVE_UP_AFTER,
    }
    if not params["ids"]:
        return 0
    params["receivers"] = [of.get(delivery, -1) for delivery in params["ids"]]
    settled = 0
    for _ in range(GOES):
        settled += _settle(params)
        if settled >= len(params["ids"]):
            break
    return settled


def _settle(params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(BY_KEY + SETTLE, params)
        while cursor.nextset():
            pass
        return int(cursor.rowcount)
