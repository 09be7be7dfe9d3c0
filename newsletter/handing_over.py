"""The two transactions around the wire: hand a window over through the gate, then settle it."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, F, Q, Value, When

from newsletter import leasing
from newsletter.leasing import Held
from newsletter.transports import Outcome
from registrants import gate
from registrants.models import Registrant

LARGEST_WINDOW = 500
GIVE_UP_AFTER = 72
"""Hours a deferred delivery is tried again (B-7)."""

HAND_OVER = """
WITH held AS (
    SELECT id, registrant_id FROM newsletter_delivery
    WHERE id BETWEEN %s AND %s AND mailing_id IS NOT DISTINCT FROM %s
      AND (state = 'staged' OR state = 'deferred' AND due_at <= now())
    ORDER BY id LIMIT %s FOR UPDATE),
asked AS MATERIALIZED (
    SELECT held.id AS delivery, person.* FROM held CROSS JOIN LATERAL ({asked} LIMIT 1) AS person),
moved AS (
    UPDATE newsletter_delivery AS delivery SET
        state = CASE WHEN asked.asked = '' THEN 'handing_over' ELSE 'refused' END,
        refusal = asked.asked,
        attempt = %s, tries = delivery.tries + 1, handed_over_at = now(), due_at = NULL,
        settled_at = CASE WHEN asked.asked = '' THEN NULL ELSE now() END,
        opens = %s AND asked.opens = 'granted', clicks = %s AND asked.clicks = 'granted'
    FROM asked WHERE delivery.id = asked.delivery AND delivery.id BETWEEN %s AND %s
    RETURNING delivery.id, delivery.state, asked.address, asked.name, asked.attributes,
        asked.subscription, delivery.opens, delivery.clicks)
SELECT * FROM moved ORDER BY id
"""

SETTLE = """
UPDATE newsletter_delivery AS delivery SET
    state = CASE WHEN outcome.state = 'unsent' THEN 'staged'
                 WHEN outcome.state = 'deferred'
                      AND delivery.created_at < now() - %s * interval '1 hour'
                 THEN 'failed' ELSE outcome.state END,
    code = nullif(outcome.code, 0), answer = outcome.words,
    tries = delivery.tries - (outcome.state = 'unsent')::int,
    settled_at = CASE WHEN outcome.state = 'unsent' THEN NULL ELSE now() END,
    due_at = CASE WHEN outcome.state = 'deferred'
        THEN now() + least(interval '30 minutes' * (1 << least(delivery.tries - 1, 4)),
                           interval '4 hours') END
FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::text[])
    AS outcome (id, state, code, words)
WHERE delivery.id = outcome.id AND delivery.id BETWEEN %s AND %s AND delivery.attempt = %s AND delivery.state = 'handing_over'
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


def _asked_sql(question: gate.Question) -> tuple[str, tuple[Any, ...]]:
    """Return the gate's SQL for the held deliveries; it needs no statistics to be planned well."""
    on_list = question.kind == gate.MailKind.CAMPAIGN
    asked = (
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
    return asked.query.sql_with_params()


@transaction.atomic
def hand_over(*, held: Held, question: gate.Question, window: int) -> tuple[list[Ready], int]:
    """Move up to `window` deliveries of a lease to handing over, asking the gate for each.

    Returns those let through and how many were taken in all, refused ones included. One statement,
    one transaction; nothing of it is on the wire before it has committed (C-4, C-6). Nothing is
    taken where the lease is lost or its mailing has been paused or cancelled.
    """
    if not leasing.keep(held):
        return [], 0
    asked, params = _asked_sql(question)
    measured = question.kind == gate.MailKind.CAMPAIGN
    with connection.cursor() as cursor:
        cursor.execute(
            HAND_OVER.format(asked=asked),
            [
                held.first,
                held.last,
                held.mailing,
                min(window, LARGEST_WINDOW),
                *params,
                held.attempt,
                measured,
                measured,
                held.first,
                held.last,
            ],
        )
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
    found = json.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}


@transaction.atomic
def settle(*, held: Held, outcomes: Sequence[Outcome]) -> int:
    """Write down how a window ended, where this attempt still holds it; return how many rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            SETTLE,
            [
                GIVE_UP_AFTER,
                [each.delivery for each in outcomes],
                [each.state for each in outcomes],
                [each.code for each in outcomes],
                [each.words[:500] for each in outcomes],
                held.first,
                held.last,
                held.attempt,
            ],
        )
        return int(cursor.rowcount)
