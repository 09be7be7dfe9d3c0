"""Real processes on the test's servers: a counting mail server, Celery workers, the timetable."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from local.ports import free_port, is_free
from newsletter.models import Mailing
from registrants.addresses import hashed
from tests.cast import Cast

ROOT = Path(__file__).resolve().parents[2]
QUIET = ("--without-gossip", "--without-mingle", "-l", "WARNING")


@dataclass
class Line:
    """The processes of one sending line and what the mail server accepted."""

    folder: Path
    port: int
    environment: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *words: str) -> None:
        """Start one process; what it says goes to a file."""
        with (self.folder / f"{name}.log").open("ab") as out:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-W", "ignore", *words],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def start_mail(self, per_second: float) -> None:
        """Start the mail server."""
        self.start(
            "mail",
            *("-m", "tests.faults.counting_smtp", str(self.port)),
            *(str(self.folder / "accepted.txt"), str(per_second)),
        )
        deadline = time.monotonic() + 10
        while is_free(self.port) and time.monotonic() < deadline:
            time.sleep(0.05)

    def start_workers(self) -> None:
        """Start a worker for campaigns, one for letters, and the timetable."""
        celery = ("-m", "celery", "-A", "config")
        self.start_bulk()
        self.start("letters", *celery, "worker", "-Q", "letters", "-c", "1", "-n", "l@%h", *QUIET)
        schedule = str(self.folder / "timetable")
        self.start("beat", *celery, "beat", "-s", schedule, "--pidfile=", "-l", "WARNING")

    def start_bulk(self) -> None:
        """Start the worker that sends campaigns."""
        words = ("worker", "-Q", "bulk", "-c", "1", "-n", f"b{time.time_ns()}@%h", *QUIET)
        self.start("bulk", "-m", "celery", "-A", "config", *words)

    def kill(self, name: str) -> None:
        """End a process and its children at once, as a power cut would."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def accepted(self) -> list[tuple[float, str]]:
        """Return when a mail was accepted for whom."""
        path = self.folder / "accepted.txt"
        rows = [line.split(" ") for line in path.read_text().splitlines()] if path.exists() else []
        return [(float(row[0]), row[1]) for row in rows if len(row) == 2]

    def counts(self) -> Counter[str]:
        """Return how often each recipient's mail was accepted."""
        return Counter(recipient for _, recipient in self.accepted())

    def wait_for(self, mailing: Mailing, state: str, patience: float) -> None:
        """Wait until a mailing is in a state; fail with the logs where it takes too long."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            mailing.refresh_from_db(fields=["state", "waiting_reason"])
            if mailing.state == state:
                return
            time.sleep(0.1)
        logs = "\n".join(path.read_text()[-1500:] for path in self.folder.glob("*.log"))
        raise AssertionError(f"{mailing.state} {mailing.waiting_reason}\n{logs}")

    def stop(self) -> None:
        """End everything."""
        for name in list(self.running):
            self.kill(name)


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
        "EMAIL_URL": f"smtp://127.0.0.1:{port}/?connections=4&connect=2",
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
