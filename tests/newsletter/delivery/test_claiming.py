"""The two statements around the wire cost the same however large and however old the ledger is."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection

from newsletter.delivery import leasing, staging
from newsletter.delivery.claiming import BY_KEY, claim, settle
from newsletter.delivery.leasing import LeaseInHand
from newsletter.mailings import lifecycle
from newsletter.mailings.audience import question
from newsletter.models import Delivery, Mailing
from newsletter.transports import Outcome
from registrants.models import Registrant, Subscription
from tests.cast import Cast
from tests.moves import any_move

pytestmark = pytest.mark.django_db(transaction=True)
WINDOW = 100


def many(cast: Cast, people: int) -> None:
    """Add people straight to the tables: nothing here is about how they came."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Registrant._meta.db_table} (client_id, address, address_hash, name,"
            " attributes, opens, clicks, created_at) SELECT %s, 'reader' || n || '@example.net',"
            " sha256(n::text::bytea), '', '{}', 'unknown', 'unknown', now()"
            " FROM generate_series(1, %s) AS n",
            [cast.client.pk, people],
        )
        cursor.execute(
            f"INSERT INTO {Subscription._meta.db_table} (registrant_id, mailing_list_id, state,"
            " ended_reason, created_at, confirmed_at) SELECT id, %s, 'confirmed', '', now(), now()"
            f" FROM {Registrant._meta.db_table} AS person WHERE name = '' AND NOT EXISTS (SELECT"
            f" FROM {Subscription._meta.db_table} WHERE registrant_id = person.id)"
            " AND erased_at IS NULL",
            [cast.mailing_list.pk],
        )


def taken(cast: Cast) -> tuple[Mailing, LeaseInHand]:
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    taken = [lease for _ in range(2) if (lease := leasing.take("campaigns", campaign.pk))]
    return campaign, max(taken, key=lambda lease: lease.last - lease.first)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def plans_of(act: Callable[[], object]) -> list[dict[str, Any]]:
    """Do something, and return the plan of each statement that touches the ledger, as it ran."""
    plans: list[dict[str, Any]] = []

    def explained(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if "newsletter_delivery" in str(sql):
            execute(f"SAVEPOINT before; {BY_KEY}", None, many, context)
            asked = sql.removeprefix(BY_KEY)
            execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}", params, many, context)
            explanation = context["cursor"].fetchone()[0]
            plans.append(
                (json.loads(explanation) if isinstance(explanation, str) else explanation)[0][
                    "Plan"
                ]
            )
            execute("ROLLBACK TO SAVEPOINT before", None, many, context)
        return execute(sql, params, many, context)

    from django.db import transaction

    with transaction.atomic(), connection.execute_wrapper(explained):
        act()
    return plans


def assert_lean(plan: dict[str, Any]) -> None:
    """No row is looked at in vain more than once for each of the window."""
    for node in nodes(plan):
        if node.get("Relation Name") == "registrants_suppression":
            continue  # a handful of rows here, in one page
        in_vain = sum(
            node.get(name, 0) * node["Actual Loops"]
            for name in ("Rows Removed by Filter", "Rows Removed by Join Filter")
        )
        assert in_vain <= 6 * WINDOW, json.dumps(plan, indent=1)
        whole = node["Node Type"] == "Seq Scan" and node["Relation Name"].startswith(
            ("newsletter_delivery", "registrants_registrant", "registrants_subscription")
        )
        assert not whole, node


def _claim_into(handed: list[Any], lease: LeaseInHand, campaign: Mailing) -> None:
    handed.extend(claim(lease=lease, question=question(campaign), window=WINDOW)[0])


@pytest.mark.parametrize("people", [1_000, 3_000, 12_000])
def test_a_window_reads_its_own_people_alone_in_the_second_campaign_too(
    cast: Cast, people: int
) -> None:
    """What the planner knows by then, nobody is being handed over, must not mislead it."""
    many(cast, people)
    for _ in range(2):
        campaign, lease = taken(cast)
        handed: list[Any] = []
        (plan,) = plans_of(partial(_claim_into, handed, lease, campaign))
        assert_lean(plan)
        assert len(handed) == WINDOW
        outcomes = [Outcome(message.delivery, "sent", 250, "2.0.0", "taken") for message in handed]
        (plan,) = plans_of(partial(settle, lease=lease, outcomes=outcomes))
        assert_lean(plan)
        assert Delivery.objects.filter(mailing=campaign, state="sent").count() == WINDOW
        with any_move():
            Delivery.objects.filter(mailing=campaign).update(state="sent")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
