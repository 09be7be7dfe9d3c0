"""A mail server that hangs keeps its own client waiting, and no other."""

import threading
import time
from collections.abc import Iterator

import pytest

from newsletter.delivery import beside, staging, worker
from newsletter.mailings import lifecycle
from newsletter.models import Mailing, Sender, SetAside
from tests.cast import Cast
from tests.newsletter.delivery.breaking import Others, due_now, owed, tick
from tests.scripted_smtp import Moment, ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)


class Hanging(ScriptedSmtp):
    """A server that does not answer at one step before it is told to."""

    def __init__(self, step: str) -> None:
        super().__init__(script=self.hang)
        self.step, self.go_on = step, threading.Event()

    def hang(self, moment: Moment) -> None:
        """Keep whoever asks waiting."""
        if moment.step == self.step:
            self.go_on.wait(20)


@pytest.fixture(params=["EHLO", "end"])
def hanging(
    request: pytest.FixtureRequest, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hanging]:
    """Have the mail server of the cast's client hang."""
    monkeypatch.setattr(beside, "OVERTIME", 0.2)
    with Hanging(request.param) as server:
        Sender.objects.filter(pk=cast.sender.pk).update(
            transport="smtp", host="127.0.0.1", port=server.port, security="none"
        )
        yield server
        server.go_on.set()
        beside.wait_for_all(5)


def test_letters_of_another_client_do_not_wait_for_a_server_that_hangs(
    cast: Cast, others: Others, smtp: ScriptedSmtp, hanging: Hanging
) -> None:
    bad = owed(cast.ada)
    began = time.monotonic()
    worker.serve(lanes=("letters",), seconds=2)
    owed(others.reader)
    worker.serve(lanes=("letters",), seconds=2)
    assert smtp.delivered == {"olga@example.net": 1}
    assert time.monotonic() - began < 3
    assert beside.is_busy(cast.client.pk)
    hanging.go_on.set()
    beside.wait_for_all(5)
    for _ in range(2):
        tick()
        due_now()
    bad.refresh_from_db()
    assert bad.state == "sent"
    assert hanging.delivered == {"ada@example.net": 1}
    assert not SetAside.objects.exists()


@pytest.mark.parametrize("lane", ["campaigns", "notices"])
def test_mailings_of_another_client_do_not_wait_for_a_server_that_hangs(
    cast: Cast, others: Others, smtp: ScriptedSmtp, hanging: Hanging, lane: str
) -> None:
    campaign = cast.campaign() if lane == "campaigns" else cast.notice()
    for mailing in (campaign, others.campaign):
        lifecycle.send_now(mailing=mailing, staff=None)
    staging.stage_due()
    owed(others.reader)
    began = time.monotonic()
    worker.serve(lanes=(lane,), seconds=0.5)
    worker.serve(lanes=("letters",), seconds=2)
    worker.serve(lanes=("campaigns",), seconds=1)
    assert smtp.delivered == {"olga@example.net": 2}
    assert time.monotonic() - began < 5
    hanging.go_on.set()
    beside.wait_for_all(5)
    tick()
    lifecycle.finish_done()
    assert Mailing.objects.get(pk=campaign.pk).state == Mailing.State.SENT
    assert max(hanging.delivered.values()) == 1


def test_what_fails_within_its_turn_is_raised_and_what_fails_later_is_not(cast: Cast) -> None:
    going = threading.Event()

    def fails() -> int:
        raise KeyError("x")

    def fails_later() -> int:
        going.wait(5)
        raise KeyError("x")

    with pytest.raises(KeyError):
        beside.take_turn(1, fails, seconds=1)
    assert not beside.is_busy(1)
    assert beside.take_turn(1, fails_later, seconds=0.01) is None
    assert beside.is_busy(1)
    going.set()
    beside.wait_for_all(5)
    assert not beside.is_busy(1)
