"""The deliveries of one mailing as CSV: streamed, and no cell a spreadsheet would run (S-8)."""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accountability import audit
from newsletter.mailings import delivery_sql
from newsletter.models import Mailing
from registrants import person_sql

ROWS_AT_ONCE = 5_000
# At the beginning, or behind whatever another program may take for the end of a cell.
RUNS = re.compile("^[\\s\\ufeff]*[=+@＝＋－＠-]|^[\\t\\r\\n]|[\\t\\r\\n\"';,|]\\s*[=+@＝＋－＠-]")
HEADER = (
    "delivery", "address", "name", "state", "refusal", "code", "answer",
    "handed over at", "settled at", "tracked opens", "first opened at", "times opened",
    "tracked clicks", "first clicked at", "times clicked", "unsubscribed at",
)  # fmt: skip

DELIVERIES = delivery_sql.deliveries_sql(
    mailing="%(mailing)s", after="%(after)s", last="%(last)s", most="%(most)s"
)
# By id, some thousand at a time: memory and locks stay the same for a million.
EXPORT_ROWS = f"""
SELECT delivery.id, person.address, person.name, delivery.state, delivery.refusal, delivery.code,
    delivery.answer, delivery.handed_over_at, delivery.settled_at,
    delivery.opens, back.opened, back.opened_times,
    delivery.clicks, back.clicked, back.clicked_times, back.unsubscribed
FROM {DELIVERIES} AS delivery
LEFT JOIN LATERAL {person_sql.named("delivery.registrant_id")} AS person ON true
LEFT JOIN LATERAL (
    SELECT min(at) FILTER (WHERE kind = 'opened') AS opened,
        count(*) FILTER (WHERE kind = 'opened') AS opened_times,
        min(at) FILTER (WHERE kind = 'clicked') AS clicked,
        count(*) FILTER (WHERE kind = 'clicked') AS clicked_times,
        min(at) FILTER (WHERE kind = 'unsubscribed') AS unsubscribed
    FROM tracking_event WHERE delivery_id = delivery.id) AS back ON true
ORDER BY delivery.id
"""


class _Echo:
    """What csv writes to: it hands every line straight back."""

    def write(self, line: str) -> str:
        return line


@transaction.atomic
def export(*, mailing: Mailing, staff: int | None) -> Iterator[str]:
    """Note the export in the audit trail and return the lines of the file."""
    audit.record(act="export", subject=mailing, staff=staff, client=mailing.client_id)
    return lines(mailing)


def lines(mailing: Mailing) -> Iterator[str]:
    """Return CSV lines with a byte order mark, every cell quoted and defused."""
    writer: Any = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield "\ufeff" + writer.writerow(HEADER)
    for row in rows(mailing.pk):
        yield writer.writerow([cell(value) for value in row])


def rows(mailing: int) -> Iterator[tuple[object, ...]]:
    """Return the deliveries of a mailing, the first one first."""
    where = delivery_sql.span(mailing)
    if where is None:
        return
    after, last = where.first - 1, where.last
    with connection.cursor() as cursor:
        while True:
            parameters = {"mailing": mailing, "after": after, "last": last, "most": ROWS_AT_ONCE}
            cursor.execute(EXPORT_ROWS, parameters)
            batch = cursor.fetchall()
            yield from batch
            if len(batch) < ROWS_AT_ONCE:
                return
            after = batch[-1][0]


def cell(value: object) -> str:
    """Return a value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return harmless(str(value))


def harmless(text: str) -> str:
    """Return text behind an apostrophe where a spreadsheet might run it (S-8)."""
    text = text.replace("\0", "")
    return f"'{text}" if RUNS.search(text) else text
