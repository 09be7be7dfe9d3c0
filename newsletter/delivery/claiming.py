"""The two transactions around the wire: claim a window through the gate, then settle it."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection

from newsletter.delivery import leasing, transitions
from newsletter.delivery.leasing import LeaseInHand
from newsletter.rendering.renderer import Recipient
from newsletter.transports import Outcome
from registrants import gate

LARGEST_WINDOW: Final = 500
SETTLE_TRIES: Final = 3
"""How often a window is settled where rows of it were changed by somebody in the same moment."""

BY_KEY = """
SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
"""
# Whatever the statistics say or do not say yet, a window is joined row by row, by key and by place:
# the planner read whole tables, or compared every row with every outcome, when it could choose.
# A row somebody changes in the same moment has another place then, and is left for the next go.

CLAIM = f"""
WITH kept AS (
    UPDATE newsletter_lease AS lease SET until = now() + %s * interval '1 second'
    WHERE lease.id = %s AND lease.attempt = %s AND (lease.mailing_id IS NULL OR EXISTS (
        SELECT FROM newsletter_mailing AS mailing
        WHERE mailing.id = lease.mailing_id AND mailing.state = 'sending'))
    RETURNING id),
due AS MATERIALIZED (
    SELECT id, ctid AS place, registrant_id FROM newsletter_delivery
    WHERE id BETWEEN %s AND %s AND mailing_id IS NOT DISTINCT FROM %s
      AND {transitions.TO_CLAIM}
      AND EXISTS (SELECT FROM kept)
    ORDER BY id LIMIT %s),
judged AS MATERIALIZED (
    SELECT due.place, person.* FROM due CROSS JOIN LATERAL ({{person}} LIMIT 1) AS person),
claimed AS ({transitions.CLAIM_ROWS}
    RETURNING delivery.id, delivery.state, judged.address, judged.name, judged.attributes,
        judged.subscription, delivery.opens, delivery.clicks)
SELECT id, state, address, name, attributes, subscription, opens, clicks FROM claimed ORDER BY id
"""


class Throttled(NamedTuple):
    """One delivery that must wait for its pace: how many seconds, and why."""

    delivery: int
    wait: float
    reason: str


@lru_cache(maxsize=64)
def _statement(question: gate.Question) -> tuple[str, tuple[Any, ...]]:
    """Return the claim's SQL with the gate's question in it."""
    person, params = gate.judgement_sql(question, registrant="due.registrant_id")
    return BY_KEY + CLAIM.format(person=person), params


def claim(
    *, lease: LeaseInHand, question: gate.Question, window: int
) -> tuple[list[Recipient], int]:
    """Move up to `window` deliveries of a lease to handing over, asking the gate for each.

    Returns those let through and how many were taken in all, refused ones included. One statement,
    one transaction; nothing of it is on the wire before it has committed (C-4, C-6). Nothing is
    taken where the lease is lost or its mailing has been paused or cancelled.
    """
    sql, params = _statement(question)
    measured = question.kind == gate.MailKind.CAMPAIGN
    keep = (leasing.HOLDS, lease.id, lease.attempt)
    due = (lease.first, lease.last, lease.mailing, min(window, LARGEST_WINDOW))
    with connection.cursor() as cursor:
        cursor.execute(sql, [*keep, *due, *params, lease.attempt, measured, measured])
        while cursor.nextset():
            pass
        rows = cursor.fetchall()
    recipients = [
        Recipient(
            delivery=delivery,
            address=address,
            name=name,
            attributes=_attributes(attributes),
            subscription=subscription,
            opens=opens,
            clicks=clicks,
        )
        for delivery, state, address, name, attributes, subscription, opens, clicks in rows
        if state == "handing_over"
    ]
    return recipients, len(rows)


def _attributes(value: object) -> dict[str, str]:
    if value == "{}":
        return {}
    attributes = json.loads(value) if isinstance(value, str) else value
    return attributes if isinstance(attributes, dict) else {}


def settle(
    *,
    lease: LeaseInHand,
    outcomes: Sequence[Outcome],
    throttled: Sequence[Throttled] = (),
    receivers: Mapping[int, int] | None = None,
) -> int:
    """Write down how a window ended, where this attempt still holds it; return how many rows.

    `throttled` are those held back for their pace; `receivers` says whose mail server each is.
    """
    of = receivers or {}
    params: dict[str, Any] = {
        "ids": [outcome.delivery for outcome in outcomes]
        + [waiting.delivery for waiting in throttled],
        "states": [outcome.state for outcome in outcomes] + ["throttled"] * len(throttled),
        "codes": [outcome.code for outcome in outcomes] + [0] * len(throttled),
        "words": [f"{outcome.enhanced} {outcome.words}".strip()[:500] for outcome in outcomes]
        + [waiting.reason for waiting in throttled],
        "waits": [0.0] * len(outcomes) + [float(waiting.wait) for waiting in throttled],
        "attempt": lease.attempt,
        **transitions.SETTLE_PARAMETERS,
    }
    if not params["ids"]:
        return 0
    params["receivers"] = [of.get(delivery, -1) for delivery in params["ids"]]
    settled = 0
    for _ in range(SETTLE_TRIES):
        settled += _settle(params)
        if settled >= len(params["ids"]):
            break
    return settled


def _settle(params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(BY_KEY + transitions.SETTLE_ROWS, params)
        while cursor.nextset():
            pass
        return int(cursor.rowcount)
