"""A delivery makes the moves of one table, each by a statement that stands beside it."""

import ast
import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from newsletter import letters
from newsletter.delivery import (
    claiming,
    leasing,
    recovering,
    resending_failed,
    resolving_unknown,
    staging,
    transitions,
)
from newsletter.delivery.journal import JournalLeft
from newsletter.delivery.leasing import LeaseInHand
from newsletter.delivery.transitions import DELIVERY_MOVES, MovedBy
from newsletter.mailings import lifecycle
from newsletter.mailings.audience import question
from newsletter.mailings.lifecycle import Move
from newsletter.models import Delivery, Mailing
from newsletter.transports import Outcome
from newsletter.transports.base import State as WireState
from registrants import consent
from registrants.provenance import Provenance
from tests.cast import Cast
from tests.newsletter.delivery.state_diagrams import with_diagrams

ROOT = Path(settings.BASE_DIR)
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PACKAGES = ("redis_store", "accountability", "registrants", "newsletter", "tracking", "local")
TABLE = Delivery._meta.db_table


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of production code with its path from the root."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield the strings of a module, those with values in them without the values."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def moves_by_orm(tree: ast.Module) -> bool:
    """Tell whether a module sets the state of deliveries by the ORM."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("update", "bulk_update", "update_or_create")
        and "elivery" in ast.unparse(node.func)
        and any(keyword.arg == "state" for keyword in node.keywords)
        for node in ast.walk(tree)
    )


def test_every_update_of_the_ledger_stands_in_one_file() -> None:
    update = re.compile(rf"UPDATE\s+{TABLE}\b")
    found_in = {
        path
        for path, tree in modules()
        if moves_by_orm(tree) or any(update.search(text) for text in texts(tree))
    }
    assert found_in == {"newsletter/delivery/transitions.py"}


STATEMENTS: dict[MovedBy, tuple[str, ...]] = {
    MovedBy.CLAIM: (transitions.CLAIM_ROWS,),
    MovedBy.SETTLE: (transitions.SETTLE_ROWS,),
    MovedBy.RECOVER: (transitions.RETURN_ROWS, transitions.LOSE_ROWS),
    MovedBy.ACCEPT_UNKNOWN: (transitions.ACCEPT_UNKNOWN_ROWS,),
    MovedBy.RESEND_UNKNOWN: (transitions.RESEND_UNKNOWN_ROWS,),
    MovedBy.RESEND_FAILED: (transitions.RESEND_FAILED_ROWS,),
    MovedBy.CANCEL: (transitions.CANCEL_ROWS,),
}


def test_each_statement_belongs_to_an_act_of_the_table() -> None:
    """What no act owns would be a move nobody listed."""
    written = {
        value
        for name, value in vars(transitions).items()
        if isinstance(value, str) and f"UPDATE {TABLE}" in value
    }
    assert written == {text for statements in STATEMENTS.values() for text in statements}
    assert set(STATEMENTS) | {MovedBy.STAGE, MovedBy.OWE} == set(MovedBy)
    assert {move.act for move in DELIVERY_MOVES} == set(MovedBy)


@pytest.mark.django_db
def test_the_test_database_refuses_a_move_that_is_not_in_the_table(cast: Cast) -> None:
    staged(cast)
    for state in ("sent", "failed", "deferred", "unknown"):
        refusal = pytest.raises(IntegrityError, match="no delivery goes from staged")
        with refusal, transaction.atomic():
            Delivery.objects.update(state=state)


def staged(cast: Cast) -> Mailing:
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    due(campaign)
    campaign.refresh_from_db()
    return campaign


def due(campaign: Mailing) -> None:
    """Have what is open be due before this test's transaction began."""
    campaign.leases.update(due_at=now() - timedelta(hours=1))
    Delivery.objects.filter(state="deferred").update(due_at=now() - timedelta(hours=1))


def taken(campaign: Mailing) -> LeaseInHand:
    lease = leasing.take("campaigns", campaign.pk)
    assert lease is not None
    return lease


def claimed(campaign: Mailing) -> LeaseInHand:
    lease = taken(campaign)
    claiming.claim(lease=lease, question=question(campaign), window=10)
    return lease


def settled(campaign: Mailing, state: WireState, code: int = 0) -> LeaseInHand:
    lease = claimed(campaign)
    outcome = Outcome(Delivery.objects.get().pk, state, code, "", "some words")
    claiming.settle(lease=lease, outcomes=[outcome])
    return lease


def deferred(campaign: Mailing) -> None:
    leasing.give_back(settled(campaign, "deferred", 451))
    due(campaign)


def without_consent(cast: Cast) -> None:
    consent.withdraw(
        subscription=cast.ada.subscriptions.get(), provenance=Provenance(means="one_click")
    )


def owed(cast: Cast) -> None:
    letters.owe(registrant=cast.ada, letter=Delivery.Letter.CHOICES, asked_by=1)


def after_deferral(cast: Cast, *, refused: bool) -> None:
    campaign = staged(cast)
    deferred(campaign)
    if refused:
        without_consent(cast)
    claimed(campaign)


def refused(cast: Cast) -> None:
    campaign = staged(cast)
    without_consent(cast)
    claimed(campaign)


def lost(cast: Cast, *, went: bool) -> None:
    lease = claimed(staged(cast))
    going = {Delivery.objects.get().pk} if went else set()
    recovering.recover_by_journal(JournalLeft(lease.attempt, going, []))


def undecided(cast: Cast) -> Mailing:
    campaign = staged(cast)
    leasing.give_back(settled(campaign, "unknown"))
    return campaign


def retried(cast: Cast) -> None:
    campaign = staged(cast)
    leasing.give_back(settled(campaign, "failed", 554))
    resending_failed.resend_failed(mailing=campaign, staff=None)


def cancelled(cast: Cast, *, was_deferred: bool) -> None:
    campaign = staged(cast)
    if was_deferred:
        deferred(campaign)
    lifecycle.cancel(mailing=campaign, staff=None)
    leasing.close_cancelled()


def settles(state: WireState, code: int = 0) -> Callable[[Cast], object]:
    return lambda cast: settled(staged(cast), state, code)


HOW: dict[tuple[str | None, str, str], Callable[[Cast], object]] = {
    (None, "staged", MovedBy.STAGE): staged,
    (None, "staged", MovedBy.OWE): owed,
    ("staged", "handing_over", MovedBy.CLAIM): lambda cast: claimed(staged(cast)),
    ("deferred", "handing_over", MovedBy.CLAIM): lambda cast: after_deferral(cast, refused=False),
    ("staged", "refused", MovedBy.CLAIM): refused,
    ("deferred", "refused", MovedBy.CLAIM): lambda cast: after_deferral(cast, refused=True),
    ("handing_over", "sent", MovedBy.SETTLE): settles("sent", 250),
    ("handing_over", "failed", MovedBy.SETTLE): settles("failed", 550),
    ("handing_over", "deferred", MovedBy.SETTLE): settles("deferred", 451),
    ("handing_over", "unknown", MovedBy.SETTLE): settles("unknown"),
    ("handing_over", "staged", MovedBy.SETTLE): settles("unsent"),
    ("handing_over", "staged", MovedBy.RECOVER): lambda cast: lost(cast, went=False),
    ("handing_over", "unknown", MovedBy.RECOVER): lambda cast: lost(cast, went=True),
    ("unknown", "unknown", MovedBy.ACCEPT_UNKNOWN): lambda cast: resolving_unknown.accept_unknown(
        mailing=undecided(cast), staff=None
    ),
    ("unknown", "staged", MovedBy.RESEND_UNKNOWN): lambda cast: resolving_unknown.resend_unknown(
        mailing=undecided(cast), staff=None
    ),
    ("failed", "staged", MovedBy.RESEND_FAILED): retried,
    ("staged", "refused", MovedBy.CANCEL): lambda cast: cancelled(cast, was_deferred=False),
    ("deferred", "refused", MovedBy.CANCEL): lambda cast: cancelled(cast, was_deferred=True),
}


def test_each_move_of_the_table_is_shown_here() -> None:
    assert set(HOW) == {(move.old, move.new, move.act) for move in DELIVERY_MOVES}


@pytest.mark.django_db
@pytest.mark.parametrize("move", DELIVERY_MOVES, ids=lambda move: f"{move.act} {move.old}")
def test_the_act_makes_the_move(cast: Cast, move: Move) -> None:
    HOW[move.old, move.new, move.act](cast)
    assert Delivery.objects.get().state == move.new


def test_a_deferred_delivery_waits_longer_each_time_up_to_four_hours() -> None:
    """B-7."""
    minutes = [wait.total_seconds() / 60 for wait in transitions.RETRIES.waits()]
    assert minutes == [30, 60, 120, 240]
    assert transitions.RETRIES.give_up_after == timedelta(hours=72)
    assert transitions.RETRIES.breaks == 5


def test_the_state_diagrams_are_drawn_from_the_tables() -> None:
    """WRITE_PAGE=1 draws them anew in docs/architecture.md."""
    page = with_diagrams(ARCHITECTURE.read_text())
    if os.environ.get("WRITE_PAGE"):
        ARCHITECTURE.write_text(page)
    assert ARCHITECTURE.read_text() == page, "draw the diagrams anew: `make docs`"
