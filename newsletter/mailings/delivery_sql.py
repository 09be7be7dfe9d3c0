"""What others read of deliveries, leases and links: fragments of SQL to compose, and counts.

A fragment is a subquery with named columns; its arguments are SQL (a column or a placeholder), so
that a statement of another package stays one statement and names no table of this one.
"""

from typing import NamedTuple

from django.db import connection
from django.db.models import Max, Min

from newsletter.models import Delivery, Lease

DELIVERIES_ALIKE = """
SELECT state, refusal, opens, clicks, count(*) FROM newsletter_delivery
WHERE id BETWEEN %s AND %s AND mailing_id = %s GROUP BY 1, 2, 3, 4
"""
LINKS_BESIDE = """
SELECT id, url FROM newsletter_link
WHERE mailing_id = (SELECT mailing_id FROM newsletter_link WHERE id = %s)
"""


class Span(NamedTuple):
    """A stretch of the ledger that holds all deliveries of one mailing, and perhaps others."""

    first: int
    last: int


class DeliveryCount(NamedTuple):
    """How many deliveries stand alike."""

    state: Delivery.State
    refusal: str
    opens: bool
    clicks: bool
    deliveries: int


def delivery_sql(delivery: str) -> str:
    """Return the fragment of one delivery, looked up by key: mailing, person, what is measured."""
    return (
        "(SELECT id, mailing_id, registrant_id, opens, clicks FROM newsletter_delivery"
        f" WHERE id = {delivery} LIMIT 1)"
    )


def link_sql(link: str, mailing: str) -> str:
    """Return the fragment of one link by key, where it is of this mailing: its id."""
    return f"(SELECT id FROM newsletter_link WHERE id = {link} AND mailing_id = {mailing} LIMIT 1)"


def deliveries_sql(*, mailing: str, after: str, last: str, most: str) -> str:
    """Return the fragment of some deliveries of a mailing by id, the first one first."""
    return (
        "(SELECT id, registrant_id, state, refusal, code, answer, handed_over_at, settled_at,"
        " opens, clicks FROM newsletter_delivery"
        f" WHERE mailing_id = {mailing} AND id > {after} AND id <= {last}"
        f" ORDER BY id LIMIT {most})"
    )


def span(mailing: int) -> Span | None:
    """Return where in the ledger a mailing's deliveries lie; None where it is not staged."""
    bounds = Lease.objects.filter(mailing=mailing).aggregate(first=Min("first"), last=Max("last"))
    return None if bounds["first"] is None else Span(bounds["first"], bounds["last"])


def delivery_counts(mailing: int) -> list[DeliveryCount]:
    """Count how the deliveries of a mailing stand, in one pass over its own stretch."""
    where = span(mailing)
    if where is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(DELIVERIES_ALIKE, [*where, mailing])
        return [DeliveryCount(Delivery.State(row[0]), *row[1:]) for row in cursor.fetchall()]


def links_beside(link: int) -> list[tuple[int, str]]:
    """Return id and target of every link of the mailing a link is of; none where it is unknown."""
    with connection.cursor() as cursor:
        cursor.execute(LINKS_BESIDE, [link])
        return list(cursor.fetchall())
