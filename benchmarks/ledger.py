"""The ledger alone: staging through the gate against a bare INSERT, then every window in turn."""

import argparse
import json
import time
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import machine

if TYPE_CHECKING:
    from newsletter.models import Campaign

Figures = dict[str, Any]
BARE = """
INSERT INTO bare SELECT row_number() OVER (), %s, person.id, '', NULL, 'staged', '', NULL, 0,
    false, false, NULL, NULL, '', now(), NULL, NULL, NULL, NULL
FROM registrants_registrant AS person
JOIN registrants_subscription AS on_list ON on_list.registrant_id = person.id
WHERE on_list.mailing_list_id = %s AND on_list.state = 'confirmed'
"""
BARE_TABLE = """
CREATE TABLE bare (id bigint, mailing_id bigint, registrant_id bigint, letter varchar(10),
    asked_by bigint, state varchar(12), refusal varchar(20), attempt bigint, tries smallint,
    opens boolean, clicks boolean, receiver smallint, code smallint, answer varchar(500),
    created_at timestamptz, due_at timestamptz, handed_over_at timestamptz,
    settled_at timestamptz, decided_at timestamptz)
"""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--registrants", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="of staging, in turn with the INSERT")
    parser.add_argument("--database-url", help="an empty database, instead of an embedded one")
    parser.add_argument("--redis-url", help="instead of an embedded server")
    return parser.parse_args()


def bare(campaign: "Campaign") -> float:
    """Return the rows a second of INSERT … SELECT of the same columns into a table without index.

    From the people and their subscriptions, committed, without the gate.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(BARE_TABLE)
        began = time.perf_counter()
        cursor.execute(BARE, [campaign.pk, campaign.mailing_list_id])
        rows, seconds = cursor.rowcount, time.perf_counter() - began
        cursor.execute("DROP TABLE bare")
        cursor.execute("CHECKPOINT")
    return rows / seconds


def staged(campaign: "Campaign") -> Figures:
    """Stage a campaign; return how fast, and what it wrote."""
    from django.db import connection

    from newsletter.delivery import staging
    from newsletter.mailings import lifecycle

    lifecycle.send_now(mailing=campaign, staff=None)
    before, written = machine.sizes(), machine.wal_position()
    began = time.perf_counter()
    rows = staging.stage(campaign.pk) or 0
    seconds = time.perf_counter() - began
    after = machine.sizes()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    return {
        "staged_per_second": rows / seconds,
        "stage_wal_bytes": (machine.wal_position() - written) / rows,
        "row_bytes": (after["ledger_bytes"] - before["ledger_bytes"]) / rows,
        "index_bytes": (after["ledger_index_bytes"] - before["ledger_index_bytes"]) / rows,
    }


def carried(campaign: "Campaign") -> Figures:
    """Hand every window over and settle it as sent, with no wire between; return the costs."""
    from newsletter.delivery import leasing
    from newsletter.delivery.claiming import LARGEST_WINDOW, claim, settle
    from newsletter.mailings.audience import question
    from newsletter.transports import Outcome

    campaign.refresh_from_db()
    audience_question, spent, count = question(campaign), [], 0
    before, written, postgres = machine.sizes(), machine.wal_position(), machine.postgres_cpu()
    used = time.process_time()
    while (lease := leasing.take("campaigns", campaign.pk)) is not None:
        while True:
            began = time.perf_counter()
            ready, taken = claim(lease=lease, question=audience_question, window=LARGEST_WINDOW)
            outcomes = [Outcome(person.delivery, "sent", 250, "2.0.0", "Ok") for person in ready]
            settle(
                lease=lease, outcomes=outcomes, receivers={person.delivery: 0 for person in ready}
            )
            if taken == LARGEST_WINDOW:
                spent.append((time.perf_counter() - began) / taken * 1e6)
            count += taken
            if taken < LARGEST_WINDOW:
                break
        leasing.give_back(lease)
    used = time.process_time() - used
    tenth = max(1, len(spent) // 10)
    first, last = median(spent[:tenth]), median(spent[-tenth:])
    return {
        "handed_over": count,
        "ledger_us": round(median(spent), 1),
        "ledger_us_first_tenth": round(first, 1),
        "ledger_us_last_tenth": round(last, 1),
        "last_of_first": round(last / first, 2),
        "slowest_window_us": round(max(spent), 1),
        "client_cpu_us": round(used / count * 1e6, 1),
        "postgres_cpu_us": round((machine.postgres_cpu() - postgres) / count * 1e6, 1),
        "wal_bytes": round((machine.wal_position() - written) / count),
        "grown_row_bytes": round(
            (machine.sizes()["ledger_bytes"] - before["ledger_bytes"]) / count
        ),
        **in_the_page(),
    }


def in_the_page() -> Figures:
    """Return which share of the ledger's updates stayed in their page, without index work."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT n_tup_hot_upd::float / greatest(n_tup_upd, 1) FROM pg_stat_user_tables"
            " WHERE relname = 'newsletter_delivery'"
        )
        return {"updates_in_the_page": round(cursor.fetchone()[0], 3)}


def run(options: argparse.Namespace, stack: ExitStack) -> None:
    """Stage in turn with the bare INSERT, then carry the last campaign; print the figures."""
    from benchmarks.servers import start

    start(stack, database_url=options.database_url, redis_url=options.redis_url)
    machine.set_up()
    from benchmarks.campaign import another, populate

    campaign, limits, rounds = populate(options.registrants), [], []
    for number in range(options.rounds):
        campaign = another(campaign) if number else campaign
        limits.append(bare(campaign))
        rounds.append(staged(campaign))
    medians = {name: round(median(figures[name] for figures in rounds)) for name in rounds[0]}
    beside = {
        "insert_per_second": round(median(limits)),
        "ratio": round(medians["staged_per_second"] / median(limits), 2),
    }
    conditions = {"registrants": options.registrants, "rounds": options.rounds}
    print(json.dumps({"bench": "stage", **conditions, **beside, **medians}), flush=True)
    print(json.dumps({"bench": "ledger", **conditions, **carried(campaign)}), flush=True)


def main() -> None:
    """Measure and print two JSON lines."""
    with ExitStack() as stack:
        run(arguments(), stack)


if __name__ == "__main__":
    main()
