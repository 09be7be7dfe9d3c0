"""A sending line of real processes on the test's servers, and many readers at once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now

import config.celery  # noqa: F401  # the nudge is sent by the default app
from local.postgres import Postgres
from local.valkey import Valkey
from newsletter.models import Delivery, Lease, Mailing, Sender
from registrants.addresses import hashed
from tests.cast import Cast, make_sender
from tests.faults.mail import MailServer, any_port
from tests.faults.workers import CONNECTIONS, Line

CRASH_SAFE = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=on")
"""What survives the death of every PostgreSQL process, not that of the machine."""


@pytest.fixture
def line(transactional_db: None, tmp_path: Path, valkey: redis.Redis) -> Iterator[Line]:
    """Return a line with nothing started yet."""
    port = any_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_URL": email_url(port),
        "HEED_NOTES_FOLDER": str(tmp_path / "notes"),
    }
    made = Line(tmp_path, environment, MailServer(tmp_path, port, ()))
    yield made
    made.stop()


def email_url(port: int, **timeouts: float) -> str:
    """Return where the installation's mail server is, with other time-outs where they are said."""
    parameters = {"connections": CONNECTIONS, "connect": 2, **timeouts}
    return f"smtp://127.0.0.1:{port}/?" + "&".join(
        f"{name}={parameters[name]}" for name in parameters
    )


def database_url() -> str:
    """Return the address of the database this process uses at present."""
    settings = connection.settings_dict
    return f"postgresql://{settings['USER']}@/{settings['NAME']}?host={settings['HOST']}"


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """Start a Redis that only this test's line uses, so that it may be killed."""
    server = Valkey(tmp_path / "valkey")
    server.start(tmp_path / "valkey.log")
    yield server
    server.stop()


@pytest.fixture
def own_postgres(transactional_db: None, tmp_path: Path) -> Iterator[Postgres]:
    """Start a PostgreSQL that only this test uses, this process included; it may be killed."""
    server = Postgres(tmp_path / "data", options=CRASH_SAFE)
    server.start(tmp_path / "postgres.log")
    server.create("test_own")
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(NAME="test_own", USER="heed", HOST=str(server.sockets))
    call_command("migrate", verbosity=0)
    yield server
    connection.close()
    connection.settings_dict.update(before)
    server.stop()
    server.forget()


def add_readers(cast: Cast, count: int, *, at: str = "example.net") -> None:
    """Put many confirmed registrants on the cast's list at once."""
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY registrants_registrant (client_id, address, address_hash, name, attributes,"
            " opens, clicks, created_at) FROM STDIN"
        ) as copy:
            for number in range(count):
                address = f"reader{number}@{at}"
                copy.write_row(
                    (cast.client.pk, address, hashed(address), "", "{}", "denied", "denied", "now")
                )
        cursor.execute(
            "INSERT INTO registrants_subscription (registrant_id, mailing_list_id, state,"
            " ended_reason, created_at, confirmed_at)"
            " SELECT id, %s, 'confirmed', '', now(), now() FROM registrants_registrant"
            " WHERE address LIKE %s",
            [cast.mailing_list.pk, f"reader%@{at}"],
        )
        cursor.execute("ANALYZE")


def let_time_pass(mailing: Mailing) -> None:
    """Make due what was put off, as the hours would."""
    Delivery.objects.filter(mailing=mailing, state="deferred").update(due_at=Now())
    Lease.objects.filter(mailing=mailing, closed_at=None).update(due_at=Now())


def sender_to(cast: Cast, server: MailServer, **overrides: object) -> Sender:
    """Make a sender of the cast's client whose mail goes to one server of the test."""
    fields = {"security": "none", "connections": CONNECTIONS, "is_default": False, **overrides}
    return make_sender(
        cast.client,
        name=f"by {server.port}",
        transport="smtp",
        host="127.0.0.1",
        port=server.port,
        **fields,
    )
