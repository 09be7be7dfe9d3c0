"""Clients take turns, and what fails for one client's letters holds up nobody.

Mirrors several: newsletter/delivery/letter_turns.py, newsletter/delivery/worker.py.
"""

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.utils.timezone import now

from newsletter import fence, letters
from newsletter.delivery import prefetching, staging, worker
from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Lease, Mailing, Sender, SetAside
from newsletter.rendering.renderer import Renderer
from registrants.models import Registrant
from tests.cast import Cast, make_sender
from tests.newsletter.delivery.breaking import (
    A_TICK,
    Break,
    Others,
    Step,
    broken,
    by_database,
    due_now,
    make_cast_of,
    owe_many,
    owed,
    tick,
    unforeseen,
)
from tests.scripted_smtp import ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("count", "bad"),
    [
        (5_000, {"from_name": "Heron\tBooks"}),
        (50, {"from_name": "Heron\r\nBcc: x@example.net"}),
        (50, {"from_address": '"theshop"@heron.example.org'}),
        (50, {"from_address": "post@"}),
    ],
)
def test_many_letters_of_a_bad_sender_hold_up_no_other_client(
    cast: Cast, others: Others, smtp: ScriptedSmtp, count: int, bad: dict[str, str]
) -> None:
    owe_many(cast, count)
    Sender.objects.filter(pk=cast.sender.pk).update(**bad)
    owed(others.reader)
    began = time.monotonic()
    worker.serve(lanes=("letters", "notices"), seconds=2)
    assert time.monotonic() - began < A_TICK
    assert smtp.delivered == {"olga@example.net": 1}
    row = SetAside.objects.get()
    assert (row.step, row.client, row.letter) == (Step.LETTERS, cast.client, "choices")
    assert row.times == 1, "one try stands for all of them"
    assert "example.net" not in row.reason
    assert Delivery.objects.filter(state="staged").count() == count


def test_letters_of_a_client_without_a_sender_go_once_there_is_one(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    cast.client.senders.all().delete()
    owed(cast.ada)
    tick()
    assert "no sender" in SetAside.objects.get().reason
    make_sender(cast.client)
    fence.release(SetAside.objects.all())
    tick()
    assert smtp.delivered["ada@example.net"] == 1
    assert not SetAside.objects.exists()


@pytest.mark.parametrize(
    ("module", "name", "fault"),
    [(letters, "letter_values", unforeseen), (prefetching, "claim", by_database)],
)
def test_one_letter_that_fails_holds_up_neither_its_client_nor_others(
    cast: Cast,
    others: Others,
    smtp: ScriptedSmtp,
    module: ModuleType,
    name: str,
    fault: Callable[[], None],
) -> None:
    bad = owed(cast.ada)
    owed(cast.ben)
    owed(others.reader)

    def number_of(*arguments: Any, **given: Any) -> int:
        return int(arguments[0].pk if arguments else given["lease"].first)

    with broken(Break("", module, name, number_of), bad.pk, fault) as tries:
        tick()
        assert smtp.delivered["ben@example.net"] == smtp.delivered["olga@example.net"] == 1
        row = SetAside.objects.get()
        assert (row.step, row.number, row.client) == (Step.LETTER, bad.pk, cast.client)
        tick()
        assert len(tries) == 1
    due_now()
    Lease.objects.update(due_at=now())
    tick()
    bad.refresh_from_db()
    assert bad.state == "sent"
    assert smtp.delivered["ada@example.net"] == 1, "an answer that was journalled is not lost"
    assert not SetAside.objects.exists()


def test_a_letter_whose_answer_cannot_be_settled_is_settled_by_its_journal(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    bad = owed(cast.ada)
    where = Break("", prefetching, "settle", lambda **given: given["lease"].first)
    with broken(where, bad.pk, by_database):
        tick()
    bad.refresh_from_db()
    assert bad.state == "sent"
    assert not SetAside.objects.exists()
    tick()
    assert smtp.delivered == {"ada@example.net": 1}


def test_a_letter_that_cannot_be_rendered_for_a_reason_of_ours_has_not_failed(
    cast: Cast, smtp: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = owed(cast.ada)
    with monkeypatch.context() as patch:
        patch.setattr(Renderer, "render", lambda *_, **__: unforeseen())
        tick()
    bad.refresh_from_db()
    assert bad.state == "staged"
    Lease.objects.update(due_at=now())
    due_now()
    tick()
    assert smtp.delivered["ada@example.net"] == 1


def test_clients_take_turns_with_their_letters(
    cast: Cast, others: Others, smtp: ScriptedSmtp
) -> None:
    owe_many(cast, 60)
    owed(others.reader)
    came: list[str] = []
    smtp.told = lambda what, connection, recipient: (
        came.append(recipient) if what == "accepted" else None
    )
    worker.serve(lanes=("letters",), seconds=10)
    assert len(came) == 61
    assert came.index("olga@example.net") <= 10


def test_a_mail_server_that_is_away_is_tried_once_for_all_letters_of_its_client(
    cast: Cast, others: Others, smtp: ScriptedSmtp
) -> None:
    owe_many(cast, 200)
    Sender.objects.filter(pk=cast.sender.pk).update(
        transport="smtp", host="127.0.0.1", port=9, security="none"
    )
    owed(others.reader)
    worker.serve(lanes=("letters",), seconds=5)
    assert smtp.delivered == {"olga@example.net": 1}
    row = SetAside.objects.get()
    assert row.times == 1
    assert "mail server" in row.reason


@pytest.mark.parametrize("lane", ["campaigns", "notices"])
def test_one_clients_many_mailings_leave_a_turn_to_another_client(
    cast: Cast, others: Others, smtp: ScriptedSmtp, lane: str
) -> None:
    worker._served_at.clear()
    for number in range(6):
        mailing = cast.campaign() if lane == "campaigns" else cast.notice()
        Mailing.objects.filter(pk=mailing.pk).update(subject=f"No. {number}")
        lifecycle.send_now(mailing=Mailing.objects.get(pk=mailing.pk), staff=None)
    if lane == "campaigns":
        lifecycle.send_now(mailing=others.campaign, staff=None)
        wanted = "olga@example.net"
    else:
        other = make_cast_of("vole")
        lifecycle.send_now(mailing=other.notice(), staff=None)
        wanted = other.ada.address
        Registrant.objects.filter(pk=other.ada.pk).update(address="vera@example.net")
        wanted = "vera@example.net"
    staging.stage_due()
    came: list[str] = []
    smtp.told = lambda what, connection, recipient: (
        came.append(recipient) if what == "accepted" else None
    )
    worker.serve(lanes=(lane,), seconds=10)
    mailings_before = came[: came.index(wanted)].count("ada@example.net")
    assert mailings_before <= 1
