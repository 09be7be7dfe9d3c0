"""The life of a delivery: every move, the retry schedule, and each UPDATE that moves one."""

from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from newsletter.mailings.lifecycle import Move
from newsletter.models import Delivery

State = Delivery.State


class MovedBy(StrEnum):
    """The functions of newsletter that move a delivery."""

    STAGE = "delivery.staging.stage"
    OWE = "letters.owe"
    CLAIM = "delivery.claiming.claim"
    SETTLE = "delivery.claiming.settle"
    RECOVER = "delivery.recovering.recover"
    ACCEPT_UNKNOWN = "delivery.resolving_unknown.accept_unknown"
    RESEND_UNKNOWN = "delivery.resolving_unknown.resend_unknown"
    RESEND_FAILED = "delivery.resending_failed.resend_failed"
    CANCEL = "delivery.leasing.close_cancelled"


DELIVERY_MOVES: Final = (
    # from, to, the function of newsletter that makes it, why
    Move(None, State.STAGED, MovedBy.STAGE, "the audience is frozen"),
    Move(None, State.STAGED, MovedBy.OWE, "a letter is owed"),
    Move(State.STAGED, State.HANDING_OVER, MovedBy.CLAIM, "the gate lets it through"),
    Move(State.DEFERRED, State.HANDING_OVER, MovedBy.CLAIM, "due again, the gate lets it through"),
    Move(State.STAGED, State.REFUSED, MovedBy.CLAIM, "the gate refuses it"),
    Move(State.DEFERRED, State.REFUSED, MovedBy.CLAIM, "due again, the gate refuses it"),
    Move(State.HANDING_OVER, State.SENT, MovedBy.SETTLE, "the server took it"),
    Move(State.HANDING_OVER, State.FAILED, MovedBy.SETTLE, "refused for good, or given up"),
    Move(State.HANDING_OVER, State.DEFERRED, MovedBy.SETTLE, "put off, throttled, broken wires"),
    Move(State.HANDING_OVER, State.UNKNOWN, MovedBy.SETTLE, "the wire broke before the answer"),
    Move(State.HANDING_OVER, State.STAGED, MovedBy.SETTLE, "it was never on the wire"),
    Move(State.HANDING_OVER, State.STAGED, MovedBy.RECOVER, "lost before it was on the wire"),
    Move(State.HANDING_OVER, State.UNKNOWN, MovedBy.RECOVER, "lost while it was in flight"),
    Move(State.UNKNOWN, State.UNKNOWN, MovedBy.ACCEPT_UNKNOWN, "a person leaves it as it is"),
    Move(State.UNKNOWN, State.STAGED, MovedBy.RESEND_UNKNOWN, "a person has it sent again"),
    Move(State.FAILED, State.STAGED, MovedBy.RESEND_FAILED, "a person has it sent again"),
    Move(State.STAGED, State.REFUSED, MovedBy.CANCEL, "the mailing was cancelled"),
    Move(State.DEFERRED, State.REFUSED, MovedBy.CANCEL, "the mailing was cancelled"),
)


class RetrySchedule(NamedTuple):
    """When a deferred delivery is tried again (B-7)."""

    first: timedelta
    factor: int
    longest: timedelta
    give_up_after: timedelta
    breaks: int
    """How often the wire may break under one delivery before it is put off like a deferred one."""

    def waits(self) -> list[timedelta]:
        """Return the wait after each try: after the first, the second, …; the last one repeats."""
        waits = [self.first]
        while waits[-1] < self.longest:
            waits.append(min(waits[-1] * self.factor, self.longest))
        return waits


RETRIES: Final = RetrySchedule(
    first=timedelta(minutes=30),
    factor=2,
    longest=timedelta(hours=4),
    give_up_after=timedelta(hours=72),
    breaks=5,
)


def states_before(act: MovedBy, new: str | None = None) -> tuple[str, ...]:
    """Return the states an act moves from (to one new state, or to any)."""
    olds = {
        move.old
        for move in DELIVERY_MOVES
        if move.act == act and move.old and new in (None, move.new)
    }
    return tuple(sorted(olds))


def _in(act: MovedBy, new: str | None = None) -> str:
    """Return the SQL that holds for the states an act moves from."""
    olds = ", ".join(f"'{old}'" for old in states_before(act, new))
    return f"IN ({olds})"


# Each statement names its old states by the table above, so an act can move nothing else.

IN_RANGE: Final = "id BETWEEN %(first)s AND %(last)s"
OF_MAILING: Final = "mailing_id IS NOT DISTINCT FROM %(mailing)s"

TO_CLAIM: Final = f"""(state {_in(MovedBy.CLAIM)} AND (state <> 'deferred' OR due_at <= now()))"""
"""Which deliveries of a range may be claimed now."""

CLAIM_ROWS: Final = """
    UPDATE newsletter_delivery AS delivery SET
        state = CASE WHEN judged.refusal = '' THEN 'handing_over' ELSE 'refused' END,
        refusal = judged.refusal,
        attempt = %s, tries = delivery.tries + 1, handed_over_at = now(), due_at = NULL,
        settled_at = CASE WHEN judged.refusal = '' THEN NULL ELSE now() END,
        opens = %s AND judged.opens = 'granted', clicks = %s AND judged.clicks = 'granted'
    FROM judged WHERE delivery.ctid = judged.place
"""
"""The claim, for rows named by their place in `judged` (delivery.claiming composes it).

Parameters: the attempt, whether opens may be measured, whether clicks may."""

SETTLE_ROWS: Final = f"""
UPDATE newsletter_delivery AS delivery SET
    state = CASE
        WHEN outcome.state = 'throttled' THEN 'deferred'
        WHEN outcome.state = 'unsent' AND (outcome.words = '' OR delivery.tries < %(breaks)s)
        THEN 'staged'
        WHEN outcome.state = 'unsent' THEN 'deferred'
        WHEN outcome.state = 'deferred' AND delivery.created_at < now() - %(give_up_after)s
        THEN 'failed'
        ELSE outcome.state END,
    code = nullif(outcome.code, 0), answer = outcome.words,
    receiver = nullif(outcome.receiver, -1),
    tries = delivery.tries
        - (outcome.state = 'throttled' OR outcome.state = 'unsent' AND outcome.words = '')::int,
    settled_at = CASE WHEN outcome.state = 'unsent' THEN NULL ELSE now() END,
    due_at = CASE
        WHEN outcome.state = 'throttled' THEN now() + outcome.wait * interval '1 second'
        WHEN outcome.state = 'deferred'
            OR outcome.state = 'unsent' AND delivery.tries >= %(breaks)s
        THEN now() + (%(retry_waits)s::interval[])[
            least(greatest(delivery.tries, 1), cardinality(%(retry_waits)s::interval[]))] END
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(codes)s::int[], %(words)s::text[],
            %(receivers)s::int[], %(waits)s::real[])
    AS outcome (id, state, code, words, receiver, wait)
CROSS JOIN LATERAL (
    SELECT ctid AS place FROM newsletter_delivery AS its
    WHERE its.id = outcome.id AND its.attempt = %(attempt)s AND its.state {_in(MovedBy.SETTLE)}
    LIMIT 1) AS current
WHERE delivery.ctid = current.place
"""
"""What became of a window, where the attempt still holds it."""

SETTLE_PARAMETERS: Final = {
    "breaks": RETRIES.breaks,
    "give_up_after": RETRIES.give_up_after,
    "retry_waits": RETRIES.waits(),
}

RETURN_ROWS: Final = f"""
UPDATE newsletter_delivery SET state = 'staged', tries = tries - 1
WHERE {IN_RANGE} AND attempt = %(attempt)s AND state {_in(MovedBy.RECOVER, State.STAGED)}
  AND NOT id = ANY(%(went)s)
"""

LOSE_ROWS: Final = f"""
UPDATE newsletter_delivery SET state = 'unknown', settled_at = now(),
    answer = 'the worker was lost while this was being handed over'
WHERE {IN_RANGE} AND attempt = %(attempt)s AND state {_in(MovedBy.RECOVER, State.UNKNOWN)}
"""

ACCEPT_UNKNOWN_ROWS: Final = f"""
UPDATE newsletter_delivery SET decided_at = now()
WHERE {IN_RANGE} AND {OF_MAILING} AND state {_in(MovedBy.ACCEPT_UNKNOWN)} AND decided_at IS NULL
  AND (%(answer)s::text IS NULL OR answer = %(answer)s)
"""

RESEND_UNKNOWN_ROWS: Final = f"""
UPDATE newsletter_delivery SET state = 'staged', settled_at = NULL, answer = ''
WHERE {IN_RANGE} AND {OF_MAILING} AND state {_in(MovedBy.RESEND_UNKNOWN)} AND decided_at IS NULL
  AND (%(answer)s::text IS NULL OR answer = %(answer)s)
"""

RESEND_FAILED_ROWS: Final = f"""
UPDATE newsletter_delivery SET state = 'staged', tries = 0, code = NULL, answer = '',
    settled_at = NULL
WHERE {IN_RANGE} AND id = ANY(%(again)s) AND state {_in(MovedBy.RESEND_FAILED)}
"""

CANCEL_ROWS: Final = f"""
UPDATE newsletter_delivery SET state = 'refused', refusal = 'cancelled', settled_at = now()
WHERE {IN_RANGE} AND {OF_MAILING} AND state {_in(MovedBy.CANCEL)}
"""
