"""A sending line of real processes on the test's servers, and many readers at once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from local.ports import free_port
from registrants.addresses import hashed
from tests.cast import Cast
from tests.faults.workers import CONNECTIONS, Line


@pytest.fixture
def line(transactional_db: None, tmp_path: Path, valkey: redis.Redis) -> Iterator[Line]:
    """Return a line with nothing started yet."""
    told = connection.settings_dict
    database = f"postgresql://{told['USER']}@/{told['NAME']}?host={told['HOST']}"
    port = free_port(12525)
    environment = {
        **os.environ,
        "DATABASE_URL": database,
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_URL": f"smtp://127.0.0.1:{port}/?connections={CONNECTIONS}&connect=2",
        "HEED_NOTES_FOLDER": str(tmp_path / "notes"),
    }
    made = Line(tmp_path, port, environment)
    yield made
    made.stop()


def add_readers(cast: Cast, count: int) -> None:
    """Put many confirmed registrants on the cast's list at once."""
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY registrants_registrant (client_id, address, address_hash, name, attributes,"
            " opens, clicks, created_at) FROM STDIN"
        ) as copy:
            for number in range(count):
                address = f"reader{number}@example.net"
                copy.write_row(
                    (cast.client.pk, address, hashed(address), "", "{}", "denied", "denied", "now")
                )
        cursor.execute(
            "INSERT INTO registrants_subscription (registrant_id, mailing_list_id, state,"
            " ended_reason, created_at, confirmed_at)"
            " SELECT id, %s, 'confirmed', '', now(), now() FROM registrants_registrant"
            " WHERE address LIKE 'reader%%'",
            [cast.mailing_list.pk],
        )
        cursor.execute("ANALYZE")
