"""Who asks to slow down is left alone; without Redis the pace is a low one.

Mirrors several: newsletter/pace/snapshot.py, newsletter/pace/recording.py,
newsletter/pace/memory.py, newsletter/pace/limits.py.
"""

import time
from collections.abc import Iterator

import pytest
import redis
from django.utils.timezone import now
from pytest_django import Settings

from newsletter import pace
from newsletter.models import PaceRule, Sender
from newsletter.pace import limits, memory
from tests.cast import Cast
from tests.newsletter.pace.pacing import (
    GMAIL,
    OUTLOOK,
    REST,
    SLOW_DOWN,
    another_process,
    answered,
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


def test_who_asks_to_slow_down_is_left_alone_for_ten_minutes(
    sender: Sender, valkey: redis.Redis
) -> None:
    """Everybody else goes on as before, whichever process asks (AT-P1)."""
    with another_process():
        pace.record(sender, [(GMAIL, SLOW_DOWN), *answered(REST, "sent", 3)])
    admissions = pace.admit(sender, {GMAIL: 10, OUTLOOK: 10, REST: 10}, kind="campaign")
    assert {receiver: one.go for receiver, one in admissions.items()} == {
        GMAIL: 0,
        OUTLOOK: 10,
        REST: 10,
    }
    assert admissions[GMAIL].wait == pytest.approx(600, abs=2)
    assert admissions[GMAIL].words.startswith("held back: Gmail asked us to slow down until ")
    later(valkey, sender, 599)
    assert go(sender, {GMAIL: 10}) == {GMAIL: 0}


def test_after_a_stop_the_whole_installation_has_one_connection_then_one_more(
    sender: Sender, valkey: redis.Redis
) -> None:
    """Ten minutes each, until two processes may have their four again."""
    pace.record(sender, [(GMAIL, SLOW_DOWN)])
    other = memory.Memory()

    def ask() -> list[int | None]:
        allowed = [capped(sender)]
        mine, memory._memory = memory.mine(), other
        allowed.append(capped(sender))
        memory._memory = mine
        return allowed

    def both(seconds: float) -> list[int | None]:
        later(valkey, sender, seconds)
        ask()
        return ask()

    assert both(600) == [1, 0]
    assert both(600) == [1, 1]
    assert both(600) == [2, 1]
    assert both(600) == [2, 2]
    assert both(3 * 600) == [4, 3]
    assert both(600) == [None, None]


def capped(sender: Sender) -> int | None:
    """Return how many connections to Gmail this process may have; 0 where it may send nothing."""
    admission = pace.admit(sender, {GMAIL: 10}, kind="campaign")[GMAIL]
    return admission.connections if admission.go else 0


def test_a_process_that_has_gone_leaves_its_connection_to_another(
    sender: Sender, valkey: redis.Redis
) -> None:
    """At once after its last window, after four minutes where it was killed."""
    pace.record(sender, [(GMAIL, SLOW_DOWN)])
    go(sender, {GMAIL: 1})
    later(valkey, sender, 601)
    with another_process():
        assert capped(sender) == 1
    assert capped(sender) == 0
    later(valkey, sender, 200)
    assert capped(sender) == 0
    later(valkey, sender, 41)
    assert capped(sender) == 1
    pace.record(sender, answered(GMAIL, "sent", 10))
    later(valkey, sender, 16)
    with another_process():
        assert capped(sender) == 1


def test_a_new_refusal_while_it_recovers_stops_it_again(
    sender: Sender, valkey: redis.Redis
) -> None:
    """And it begins with one connection again."""
    pace.record(sender, [(GMAIL, SLOW_DOWN)])
    later(valkey, sender, 1900)
    go(sender, {GMAIL: 1})
    assert capped(sender) == 3
    pace.record(sender, [(GMAIL, SLOW_DOWN)])
    assert capped(sender) == 0
    later(valkey, sender, 601)
    assert capped(sender) == 1


def test_letters_use_one_connection_while_a_receiver_is_stopped(sender: Sender) -> None:
    """A person waits for them; a notice shares that one connection with its kind."""
    pace.record(sender, [(GMAIL, SLOW_DOWN)])
    kinds: tuple[pace.Kind, ...] = ("letter", "notice")
    for kind in kinds:
        admission = pace.admit(sender, {GMAIL: 2}, kind=kind)[GMAIL]
        assert (admission.go, admission.connections) == (2, 1)
    with another_process():
        assert go(sender, {GMAIL: 2}, "notice") == {GMAIL: 0}


def test_retry_after_holds_the_whole_sender(sender: Sender, valkey: redis.Redis) -> None:
    """For as long as was asked, an hour at most; letters try all the same."""
    pace.record(sender, [], retry_after=90)
    admissions = pace.admit(sender, {GMAIL: 5, REST: 5}, kind="campaign")
    assert {one.go for one in admissions.values()} == {0}
    assert admissions[REST].wait == pytest.approx(90, abs=2)
    assert admissions[REST].words.startswith("held back: the mail server asked us to wait until ")
    assert go(sender, {REST: 1}, "letter") == {REST: 1}
    later(valkey, sender, 91)
    assert go(sender, {GMAIL: 5}) == {GMAIL: 5}


def test_a_person_lifts_every_stop(sender: Sender) -> None:
    """Try again now."""
    pace.record(sender, [(GMAIL, SLOW_DOWN)], retry_after=60)
    assert go(sender, {GMAIL: 5, REST: 5}) == {GMAIL: 0, REST: 0}
    pace.forget(sender)
    assert go(sender, {GMAIL: 5, REST: 5}) == {GMAIL: 5, REST: 5}


def test_what_was_let_go_and_did_not_leave_is_given_back(sender: Sender) -> None:
    """The server broke off in the middle of a window."""
    limited(sender, per_second=100, rules={GMAIL: 80})
    assert go(sender, {GMAIL: 80}) == {GMAIL: 80}
    assert go(sender, {GMAIL: 80})[GMAIL] < 20
    pace.record(sender, answered(GMAIL, "unsent", 60))
    assert go(sender, {GMAIL: 80})[GMAIL] >= 60


def test_connections_of_a_rule_hold_for_each_process(sender: Sender) -> None:
    """As those of the sender do."""
    PaceRule.objects.create(sender=sender, receiver=GMAIL, connections=2)
    limits.forget()
    admissions = pace.admit(sender, {GMAIL: 5, REST: 5}, kind="campaign")
    assert (admissions[GMAIL].connections, admissions[REST].connections) == (2, None)


def test_without_redis_campaigns_go_slowly_and_letters_at_once(
    sender: Sender, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One a second and receiver in this process, and nothing to whom we know is stopped (C-11)."""
    pace.record(sender, [(OUTLOOK, SLOW_DOWN)])
    go(sender, {OUTLOOK: 1})
    settings.REDIS_URL = AWAY
    admissions = pace.admit(sender, {GMAIL: 50, OUTLOOK: 50, REST: 50}, kind="campaign")
    assert {receiver: one.go for receiver, one in admissions.items()} == {
        GMAIL: 1,
        OUTLOOK: 0,
        REST: 1,
    }
    assert 1 <= admissions[REST].wait + 49 * admissions[REST].spread <= 60
    assert "goes slowly" in admissions[REST].words
    assert go(sender, {GMAIL: 50}) == {GMAIL: 0}
    kinds: tuple[pace.Kind, ...] = ("letter", "notice")
    for kind in kinds:
        assert go(sender, {REST: 50}, kind) == {REST: 50}


def test_a_stop_heard_while_redis_was_away_is_told_when_it_is_back(
    sender: Sender, settings: Settings
) -> None:
    """So that the other processes keep it too."""
    there = settings.REDIS_URL
    settings.REDIS_URL = AWAY
    pace.record(sender, [(GMAIL, SLOW_DOWN)])
    assert go(sender, {GMAIL: 5}) == {GMAIL: 0}
    settings.REDIS_URL = there
    memory.mine().away_until = 0.0
    assert go(sender, {GMAIL: 5}) == {GMAIL: 0}
    with another_process():
        assert go(sender, {GMAIL: 5}) == {GMAIL: 0}


def test_a_redis_that_came_back_empty_goes_on(sender: Sender, valkey: redis.Redis) -> None:
    """Scripts and buckets are made anew."""
    limited(sender, per_second=10)
    go(sender, {REST: 100})
    valkey.flushdb()
    valkey.script_flush()
    assert go(sender, {REST: 100}) == {REST: 10}
    pace.record(sender, answered(REST, "sent", 10))


def test_the_readings_tell_what_is_happening(sender: Sender, valkey: redis.Redis) -> None:
    """By receiver: the rate, the stop, the connections, how many are held."""
    assert pace.snapshots([sender.pk])[sender.pk].receivers == ()
    limited(sender, rules={REST: 5})
    pace.record(sender, [(GMAIL, SLOW_DOWN), *answered(REST, "sent", 30)])
    go(sender, {GMAIL: 7, REST: 25})
    time.sleep(1.1)
    reading = pace.snapshots([sender.pk])[sender.pk]
    rest, gmail = reading.receivers
    assert (rest.name, rest.per_second, rest.per_second_minute) == ("all others", 3.0, 0.5)
    assert (rest.stopped_until, rest.connections, rest.held) == (None, None, 20)
    assert (gmail.connections, gmail.held) == (0, 7)
    assert gmail.stopped_until is not None
    assert 590 < (gmail.stopped_until - now()).total_seconds() <= 600
    assert reading.known and reading.held == 27
    later(valkey, sender, 600)
    assert pace.snapshots([sender.pk])[sender.pk].receivers[1].connections == 1


def test_the_readings_say_so_where_redis_is_away(sender: Sender, settings: Settings) -> None:
    """A page never fails for it."""
    settings.REDIS_URL = AWAY
    assert not pace.snapshots([sender.pk])[sender.pk].known
