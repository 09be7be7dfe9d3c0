"""The pace holds for all processes together, on Redis' clock, never faster than allowed."""

import heapq
import threading
import time
import timeit
from collections.abc import Iterator
from datetime import timedelta
from typing import cast

import pytest
import redis
import time_machine
from django.utils.timezone import now

from newsletter import pace
from newsletter.models import Sender
from newsletter.pace import limits
from newsletter.transports import Outcome
from tests.cast import Cast
from tests.newsletter.pace.pacing import (
    GMAIL,
    REST,
    another_process,
    as_a_new_process,
    go,
    later,
    limited,
)

pytestmark = pytest.mark.django_db
AWAY = "redis://127.0.0.1:9/0"


@pytest.fixture(autouse=True)
def fresh(valkey: redis.Redis) -> Iterator[None]:
    """Begin and leave as a new process."""
    as_a_new_process()
    yield
    as_a_new_process()


@pytest.fixture
def sender(cast: Cast) -> Sender:
    """Return the sender of the cast."""
    return cast.sender


def test_a_sender_without_limits_is_held_by_nothing(sender: Sender) -> None:
    """Its own number of connections, no words."""
    assert pace.admit(sender, {GMAIL: 300, REST: 200}, kind="campaign") == {
        GMAIL: pace.Admission(go=300),
        REST: pace.Admission(go=200),
    }
    assert pace.admit(sender, {}, kind="campaign") == {}
    assert pace.rest(sender) == 0


def test_many_threads_together_never_exceed_the_rate(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor do they leave much of it unused."""
    monkeypatch.setattr(limits, "REREAD_SECONDS", 3600)
    limited(sender, per_second=300, rules={GMAIL: 100})
    let: list[tuple[float, int, int]] = []
    go(sender, {REST: 0})
    began = time.monotonic()

    def take() -> None:
        while time.monotonic() < began + 2:
            allowed = go(sender, {GMAIL: 40, REST: 60})
            let.append((time.monotonic() - began, allowed[GMAIL], allowed[REST]))
            time.sleep(0.01)

    threads = [threading.Thread(target=take) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.monotonic() - began
    gmail, rest = sum(row[1] for row in let), sum(row[2] for row in let)
    assert gmail <= 100 * spent + 110
    assert 300 * 2 * 0.9 <= gmail + rest <= 300 * spent + 330


def test_workers_whose_clocks_differ_share_one_rate(sender: Sender) -> None:
    """Five minutes ahead or behind gain nothing: Redis' own clock counts (AT-C8)."""
    limited(sender, per_second=50)
    total = 0
    for skew in (0, 300, -300, 300, 0):
        with time_machine.travel(now() + timedelta(seconds=skew)), another_process():
            total += go(sender, {REST: 100})[REST]
    assert 50 <= total <= 60


def test_what_the_sender_may_send_is_shared_out_in_proportion(sender: Sender) -> None:
    """No receiver starves behind another."""
    limited(sender, per_second=100)
    assert go(sender, {GMAIL: 300, REST: 100}) == {GMAIL: 75, REST: 25}


def test_a_limited_receiver_leaves_the_others_alone(sender: Sender) -> None:
    """Each has a bucket of its own."""
    limited(sender, rules={GMAIL: 5})
    admissions = pace.admit(sender, {GMAIL: 50, REST: 50}, kind="campaign")
    assert (admissions[GMAIL].go, admissions[REST].go) == (5, 50)
    assert admissions[GMAIL].words == "held back: 5 a second to Gmail"
    assert pace.rest(sender) == 0


def test_those_held_are_told_when_they_can_really_go(sender: Sender) -> None:
    """One after the other, at the rate, behind those promised before."""
    limited(sender, per_second=10)
    first = pace.admit(sender, {REST: 30}, kind="campaign")[REST]
    second = pace.admit(sender, {REST: 20}, kind="campaign")[REST]
    assert (first.go, second.go) == (10, 0)
    assert first.wait == pytest.approx(0.1, abs=0.05)
    assert first.spread == second.spread == pytest.approx(0.1)
    assert second.wait == pytest.approx(2.1, abs=0.1)
    assert 0 < pace.rest(sender) <= 1


def test_beyond_a_minute_no_slot_is_promised(sender: Sender) -> None:
    """They are spread thinly instead, the thinner the more wait, ten minutes at most."""
    limited(sender, per_second=1)
    ends = []
    for _ in range(12):
        admission = pace.admit(sender, {REST: 100}, kind="campaign")[REST]
        assert admission.wait <= 60
        ends.append(admission.wait + admission.spread * (100 - admission.go))
    assert 119 <= ends[0] <= 121
    assert ends == pytest.approx(sorted(ends)) and max(ends) < 601


def test_a_rate_below_one_a_second_is_kept_too(sender: Sender, valkey: redis.Redis) -> None:
    """One mail, and the next when its time has come."""
    limited(sender, rules={GMAIL: 0.05})
    assert go(sender, {GMAIL: 10})[GMAIL] == 1
    later(valkey, sender, 19)
    assert go(sender, {GMAIL: 10})[GMAIL] == 0
    later(valkey, sender, 1.1)
    assert go(sender, {GMAIL: 10})[GMAIL] == 1


def test_promised_slots_of_a_cancelled_mailing_hold_nobody_up(
    sender: Sender, valkey: redis.Redis
) -> None:
    """Two seconds in which nobody asks are enough to forget them."""
    limited(sender, per_second=10)
    pace.admit(sender, {REST: 500}, kind="campaign")
    later(valkey, sender, 2)
    admission = pace.admit(sender, {REST: 15}, kind="campaign")[REST]
    assert admission.go == 10 and admission.wait < 1


def test_a_campaign_leaves_at_its_rate_without_asking_over_and_over(
    sender: Sender, valkey: redis.Redis
) -> None:
    """3,000 at 20 a second: in 150 seconds, each held some times and not once a second."""
    limited(sender, per_second=20)
    due: list[float] = [0.0] * 3000
    clock, gone, asked = 0.0, 0, 0
    while due:
        window = [heapq.heappop(due) for _ in range(500) if due and due[0] <= clock]
        if window:
            asked += len(window)
            admission = pace.admit(sender, {REST: len(window)}, kind="campaign")[REST]
            gone += admission.go
            for number in range(len(window) - admission.go):
                heapq.heappush(due, clock + admission.wait + number * admission.spread)
        if not window or not admission.go:
            later(valkey, sender, 0.5)
            clock += 0.5
    assert gone == 3000
    assert 148 <= clock <= 200
    assert asked / 3000 < 6


def test_letters_are_never_held_and_campaigns_pay_for_them(
    sender: Sender, valkey: redis.Redis
) -> None:
    """The bucket goes into debt; the campaign waits until it is paid."""
    limited(sender, per_second=10)
    assert go(sender, {REST: 100}) == {REST: 10}
    assert go(sender, {REST: 30}, "letter") == {REST: 30}
    later(valkey, sender, 2)
    assert go(sender, {REST: 100}) == {REST: 0}
    later(valkey, sender, 2)
    assert 9 <= go(sender, {REST: 100})[REST] <= 11


def test_campaigns_leave_a_share_to_notices(sender: Sender) -> None:
    """A tenth of a second's worth is always there."""
    limited(sender, per_second=100)
    assert go(sender, {REST: 1000})[REST] == 100
    assert float(redis_field(sender, "level")) >= 10
    assert go(sender, {REST: 60}, "notice") == {REST: 60}


def test_a_notice_to_very_many_runs_a_minute_ahead_of_the_rate_at_most(sender: Sender) -> None:
    """What the server was said to take still holds."""
    limited(sender, per_second=2)
    assert go(sender, {REST: 500}, "notice")[REST] == pytest.approx(122, abs=2)


def test_a_window_costs_little(sender: Sender) -> None:
    """Less than a millisecond for asking and telling about 500; twenty are let pass here."""
    outcomes = [(number % 3, Outcome(number, "sent", 250, "2.0.0", "ok")) for number in range(500)]

    def one_window() -> None:
        pace.admit(sender, {0: 167, 1: 167, 2: 166}, kind="campaign")
        pace.record(sender, outcomes)

    one_window()
    assert min(timeit.repeat(one_window, number=20, repeat=5)) / 20 < 0.02


def redis_field(sender: Sender, name: str) -> str:
    """Return one field of what Redis holds about a sender's pace."""
    from redis_store.connection import server

    return cast("bytes", server().hget(limits.key(sender.pk), name)).decode()
