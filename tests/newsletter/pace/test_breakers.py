"""A mailing stops by itself after too many noes, counted where all workers see them."""

import subprocess
import sys
import time
from typing import NamedTuple

import pytest
import redis
from pytest_django import Settings

from newsletter.pace import breakers

SENDER, MAILING = 4_000_001, 5_000_001


class Said(NamedTuple):
    state: str
    code: int = 0
    enhanced: str = ""
    words: str = ""


SENT = Said("sent", 250, "2.0.0", "ok")
GONE = Said("failed", 550, "5.1.1", "No such user here")
UNWANTED = Said("failed", 554, "5.7.1", "Message rejected as spam")
ILL = Said("deferred", 451, "4.3.0", "Local error in processing")
SLOW = Said("deferred", 421, "4.7.28", "unusual rate of mail")
HELD = Said("deferred", 0, "", "held back: warm-up, 500 a day")
LOST = Said("unknown", 0, "", "the connection was lost before the server answered")


def record(*outcomes: Said, mailing: int = MAILING, sender: int = SENDER) -> str:
    return breakers.record(sender, mailing, outcomes)


@pytest.fixture(autouse=True)
def nothing_seen_yet(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers, "_here", {})
    monkeypatch.setattr(breakers, "_away", {})


def test_twenty_in_a_row_over_window_borders_stop_it_with_the_last_words() -> None:
    """C-14."""
    assert record(SENT, *[ILL] * 12) == ""
    assert record(*[ILL] * 7) == ""
    why = record(ILL)
    assert "20 mails in a row" in why
    assert "451 4.3.0 Local error in processing" in why


def test_one_that_is_taken_ends_the_row() -> None:
    assert record(*[ILL] * 19) == ""
    assert record(SENT) == ""
    assert record(*[ILL] * 19) == ""


def test_a_row_in_the_middle_of_a_window_counts() -> None:
    assert record(*[SENT] * 5, *[ILL] * 20, *[SENT] * 5)


def test_a_server_that_takes_all_and_answers_nothing_is_stopped_too() -> None:
    assert "connection was lost" in record(*[LOST] * 20)


def test_a_row_is_counted_over_all_mailings_of_a_sender_and_over_none_of_another() -> None:
    assert record(*[ILL] * 10) == ""
    assert record(*[ILL] * 10, mailing=MAILING + 1, sender=SENDER + 1) == ""
    assert record(*[ILL] * 10, mailing=MAILING + 1)


@pytest.mark.parametrize("patient", [SLOW, HELD])
def test_what_asks_for_patience_or_was_held_back_stops_nothing(patient: Said) -> None:
    assert record(*[patient] * 400) == ""


def test_six_addresses_nobody_has_within_two_hundred_stop_it() -> None:
    """B-6."""
    assert record(*[SENT] * 190, *[GONE] * 5) == ""
    assert "addresses nobody has" in record(SENT, GONE)


def test_as_many_over_more_than_two_hundred_do_not() -> None:
    for _ in range(20):
        assert record(GONE, *[SENT] * 39) == ""


def test_ten_refused_as_unwanted_within_two_hundred_stop_it() -> None:
    """B-6."""
    assert record(*([SENT] * 18 + [UNWANTED]) * 9) == ""
    why = record(UNWANTED)
    assert "refused as unwanted" in why
    assert "Message rejected as spam" in why


def test_after_a_person_goes_on_it_starts_empty_and_takes_twice_as_many() -> None:
    assert record(*([SENT] * 3 + [GONE]) * 6)
    breakers.forget([SENDER], MAILING)
    assert record(*([SENT] * 3 + [GONE]) * 11) == ""
    assert "12 of at most 200" in record(GONE)


def test_after_a_person_goes_on_twenty_in_a_row_stop_it_again() -> None:
    assert record(*[ILL] * 20)
    breakers.forget([SENDER], MAILING)
    assert record(*[ILL] * 19) == ""
    assert record(ILL)


def test_what_the_server_that_stood_in_said_is_forgotten_too() -> None:
    assert record(*[UNWANTED] * 10, sender=SENDER + 1)
    breakers.forget([SENDER, SENDER + 1], MAILING)
    assert record(*[UNWANTED] * 9, sender=SENDER + 1) == ""


def test_another_process_continues_the_count() -> None:
    assert record(*[ILL] * 15) == ""
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            "import django; django.setup()\n"
            "from newsletter.pace import breakers\n"
            "from tests.newsletter.pace.test_breakers import ILL, MAILING, SENDER\n"
            "print(breakers.record(SENDER, MAILING, [ILL] * 5))",
        ],
        capture_output=True,
        text=True,
        check=True,
        env=dict(__import__("os").environ, DJANGO_SETTINGS_MODULE="config.settings"),
    )
    assert "20 mails in a row" in process.stdout


def test_without_redis_each_process_counts_alone_and_does_not_wait(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    began = time.monotonic()
    assert record(*[ILL] * 19) == ""
    assert record(ILL)
    breakers.forget([SENDER], MAILING)
    assert record(*[ILL] * 19) == ""
    assert time.monotonic() - began < 1


def test_a_window_of_five_hundred_is_recorded_in_a_few_milliseconds() -> None:
    window = [SENT] * 499 + [GONE]
    record(*window)
    began = time.process_time()
    for mailing in range(20):
        record(*window, mailing=MAILING + mailing)
    assert (time.process_time() - began) / 20 < 0.01
