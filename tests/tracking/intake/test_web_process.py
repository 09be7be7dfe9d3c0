"""The real web process, while Redis and the database are taken away and brought back.

Mirrors several: tracking/intake/wsgi.py, tracking/intake/hits.py,
tracking/intake/link_targets.py.
"""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import psycopg
import pytest
import redis
from django.conf import settings

from accountability import key_fingerprints
from local.ports import hold_port
from local.postgres import FOR_TESTS, Postgres
from local.valkey import Valkey
from tests import mail_links
from tracking.intake import hits

LINKS = "CREATE TABLE newsletter_link (id bigint PRIMARY KEY, mailing_id bigint, url text)"
KEYS = (
    "CREATE TABLE accountability_keyfingerprint (id bigserial, setting text, version int,"
    " fingerprint bytea, first_seen_at timestamptz, UNIQUE (setting, version))"
)
KNOWN_KEYS = """
INSERT INTO accountability_keyfingerprint (setting, version, fingerprint, first_seen_at)
VALUES (%s, 1, %s, now())
"""
ROWS = """
INSERT INTO newsletter_link
SELECT id, id, 'https://example.org/' || id FROM generate_series(1, 3) AS id
"""


def known_keys() -> dict[str, bytes]:
    """Return the keys of this run, by their settings."""
    return {
        "HEED_ADDRESS_KEY": settings.ADDRESS_KEY,
        "HEED_LINK_KEYS": settings.LINK_KEYS[1],
        "HEED_SECRETS_KEYS": settings.SECRETS_KEYS[1],
    }


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """Return a database that holds three links and knows our keys, and nothing else."""
    server = Postgres(tmp_path / "data", options=FOR_TESTS)
    try:
        server.start(tmp_path / "postgres.log")
        server.create()
        with psycopg.connect(server.url()) as connection:
            connection.execute(LINKS)
            connection.execute(ROWS)
            connection.execute(KEYS)
            for setting, key in known_keys().items():
                made = key_fingerprints.fingerprint(setting, 1, key)
                connection.execute(KNOWN_KEYS, [setting, made])
        yield server
    finally:
        server.stop()
        server.forget()


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[Valkey]:
    """Return a Valkey of this test's own."""
    server = Valkey(tmp_path / "valkey", port=hold_port(23_500).release())
    server.start(tmp_path / "valkey.log")
    yield server
    server.stop()


@contextmanager
def web(port: int, log: Path, **settings: str) -> Iterator[None]:
    """Run the web server as `make up` does."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "4", "config.wsgi:application"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=os.environ | settings, stdout=out, stderr=out, start_new_session=True
        )
        try:
            until(lambda: status(port, "/i/warm-up") == 200, 30)
            yield
        finally:
            process.terminate()
            process.wait(20)


def answer(port: int, path: str) -> tuple[int, dict[str, str]]:
    """Ask for a path; return the status and the headers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", path)
        got = line.getresponse()
        got.read()
        return got.status, dict(got.getheaders())
    finally:
        line.close()


def status(port: int, path: str) -> int:
    """Return the status of an answer, 0 where nobody listens."""
    try:
        return answer(port, path)[0]
    except OSError:
        return 0


def until(true: Callable[[], bool], seconds: float) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def noted(server: Valkey) -> list[int]:
    """Return the deliveries whose hits are in the stream."""
    with redis.Redis.from_url(server.url) as client:
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(hits.STREAM))
        return [hit.delivery for _, group in entries for hit in hits.unpack(group[hits.FIELD])]


def test_the_web_process_answers_while_redis_and_the_database_are_away(
    tmp_path: Path, postgres: Postgres, stream: Valkey
) -> None:
    """O-6, S-2: known links lead on, an unknown one waits, hits are kept until Redis is back."""
    port = hold_port(23_600).release()
    with web(port, tmp_path / "web.log", DATABASE_URL=postgres.url(), REDIS_URL=stream.url):
        assert answer(port, mail_links.click("", 1, 1))[1]["location"] == "https://example.org/1"
        until(lambda: noted(stream) == [1], 5)

        stream.stop()
        began = time.monotonic()
        assert status(port, mail_links.pixel("", 2)) == 200
        assert status(port, mail_links.click("", 3, 2)) == 302
        assert time.monotonic() - began < 1
        stream.start(tmp_path / "valkey.log")
        until(lambda: sorted(noted(stream)) == [1, 2, 3], 15)

        postgres.stop()
        assert status(port, mail_links.pixel("", 4)) == 200
        assert status(port, mail_links.click("", 5, 1)) == 302
        code, headers = answer(port, mail_links.click("", 6, 3))
        assert (code, headers["retry-after"]) == (503, "5")
        assert status(port, "/l/nonsense") == 404
        until(lambda: sorted(noted(stream)) == [1, 2, 3, 4, 5], 5)

        postgres.sockets.mkdir(mode=0o700)
        postgres._own(postgres.sockets)
        postgres.start(tmp_path / "postgres.log")
        until(lambda: status(port, mail_links.click("", 6, 3)) == 302, 10)
