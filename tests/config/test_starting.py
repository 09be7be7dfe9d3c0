"""What serves makes sure of its database, its keys and its Redis; migrations and checks do not."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from celery.signals import beat_init, celeryd_init
from celery.utils.dispatch import Signal
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection, connections
from pytest_django import Settings

from accountability import key_fingerprints
from config import celery as _celery  # noqa: F401  # it hears of what begins
from config import starting
from local import keys

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the connection of the test's transaction."""
    monkeypatch.setattr(connections, "close_all", lambda: None)


def the_end() -> str:
    """Return with what sentence a process ends that must not serve."""
    with pytest.raises(SystemExit) as end:
        starting.make_sure()
    return str(end.value.code)


def raising(fault: Exception) -> Callable[[], list[str]]:
    def settle() -> list[str]:
        raise fault

    return settle


def test_what_fits_is_let_through(db: None, valkey: redis.Redis) -> None:
    starting.make_sure()


def test_other_keys_end_it(db: None, settings: Settings) -> None:
    starting.make_sure()
    settings.LINK_KEYS = {1: bytes(range(32))}
    assert the_end().startswith("The keys do not belong to this database:\nHEED_LINK_KEYS: ")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ('connection failed: password authentication failed for user "pa"', "name or password"),
        ('connection failed: FATAL: database "pa" does not exist', "no database"),
        ("SSL error: certificate verify failed", "certificate is not trusted"),
        ('could not translate host name "pa" to address', "no PostgreSQL answers"),
        ("connection timeout expired", "no PostgreSQL answers"),
    ],
)
def test_a_database_that_cannot_be_used_ends_it_in_our_words(
    monkeypatch: pytest.MonkeyPatch, answer: str, sentence: str
) -> None:
    monkeypatch.setattr(key_fingerprints, "settle", raising(OperationalError(answer)))
    end = the_end()
    assert end.startswith("DATABASE_URL: ")
    assert sentence in end
    assert '"pa"' not in end


def test_a_database_without_tables_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_fingerprints, "settle", raising(ProgrammingError("no such table")))
    assert "manage.py migrate" in the_end()


def test_a_redis_of_another_password_or_number_ends_it(db: None, settings: Settings) -> None:
    base = django_settings.REDIS_URL
    settings.REDIS_URL = base.replace("redis://", "redis://nobody:hunter2@")
    assert the_end() == "REDIS_URL: the server refuses this name or password, or wants one"
    settings.REDIS_URL = base.rpartition("/")[0] + "/9999"
    assert "no database of this number" in the_end()


def test_a_redis_that_is_away_is_said_and_waited_for(
    db: None, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with caplog.at_level(logging.WARNING):
        starting.make_sure()
    assert "no Redis answers" in caplog.text


@pytest.mark.parametrize("begins", [celeryd_init, beat_init], ids=["worker", "timetable"])
def test_neither_a_worker_nor_the_timetable_begins_with_other_keys(
    db: None, settings: Settings, begins: Signal
) -> None:
    begins.send(sender=None)
    settings.ADDRESS_KEY = bytes(range(32))
    with pytest.raises(SystemExit, match="HEED_ADDRESS_KEY"):
        begins.send(sender=None)


def test_the_web_process_ends_in_a_sentence(transactional_db: None) -> None:
    """A real process, once: what its server makes of this end only a process shows."""
    key_fingerprints.settle()
    url = os.environ["DATABASE_URL"].replace("/heed?", f"/{connection.settings_dict['NAME']}?")
    wrong = keys.make()["HEED_ADDRESS_KEY"]
    done = subprocess.run(
        [*(sys.executable, "-m", "granian", "--interface", "wsgi", "--port", "1"),
         *("--log-level", "warning", "config.wsgi:application")],
        env=dict(os.environ, DATABASE_URL=url, HEED_ADDRESS_KEY=wrong),
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=50,
    )  # fmt: skip
    assert done.returncode != 0
    assert "HEED_ADDRESS_KEY: version 1 is another key" in done.stderr
    assert "Traceback" not in done.stderr
    assert wrong not in done.stderr


@pytest.mark.parametrize("command", [("check",), ("migrate", "--check"), ("makemigrations",
                                      "--check", "--dry-run")], ids=" ".join)  # fmt: skip
def test_what_does_not_serve_asks_for_no_key(
    db: None, settings: Settings, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    key_fingerprints.settle()
    settings.ADDRESS_KEY = bytes(range(32))
    call_command(*command)
    capsys.readouterr()
