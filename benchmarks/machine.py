"""The processes a benchmark starts, and what they take of the machine: processor and memory."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

QUIET = ("--without-gossip", "--without-mingle", "-c", "1", "-l", "WARNING")
SETTLED_IN = 5.0
"""Seconds a worker is given to do some idle rounds before its memory is read."""


@contextmanager
def celery(*arguments: str, log: Path, email_url: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Run one Celery process for a while; with an address of its own for its mail."""
    environment = os.environ | ({"EMAIL_URL": email_url} if email_url else {})
    command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "config", *arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


class Workers:
    """The timetable, one worker for letters and some for campaigns, each with its own way out."""

    def __init__(
        self, stack: ExitStack, folder: Path, ways: list[str], letters: str | None = None
    ) -> None:
        """Start them; `ways` names the mail server (an EMAIL_URL) of each worker for campaigns."""
        folder.mkdir(exist_ok=True)
        self.logs = [folder / f"bulk-{number}" for number in range(len(ways))]
        self._parents = [
            stack.enter_context(
                celery(
                    "worker",
                    "-Q",
                    "bulk,staging",
                    "-n",
                    f"{log.name}@%h",
                    *QUIET,
                    log=log,
                    email_url=to,
                )
            )
            for log, to in zip(self.logs, ways, strict=True)
        ]
        arguments = ("worker", "-Q", "letters", "-n", "letters@%h", *QUIET)
        way = letters or ways[0]
        stack.enter_context(celery(*arguments, log=folder / "letters", email_url=way))
        beat = ("beat", "-s", str(folder / "schedule"), "--pidfile=", "-l", "WARNING")
        stack.enter_context(celery(*beat, log=folder / "beat"))
        self._wait_for_children()
        self.idle_mb = self.memory_mb()

    def _wait_for_children(self) -> None:
        for _ in range(600):
            if len(self.pids) == len(self._parents):
                break
            time.sleep(0.1)
        time.sleep(SETTLED_IN)

    @property
    def pids(self) -> list[int]:
        """Return the processes that send: the children of the campaign workers."""
        return [pid for parent in self._parents for pid in children(parent.pid)]

    def memory_mb(self, *, peak: bool = False) -> float:
        """Return the resident memory of the largest, in MB (10**6 bytes)."""
        return max((resident_mb(pid, peak=peak) for pid in self.pids), default=0.0)

    def windows(self, mailing: int) -> list[dict[str, object]]:
        """Return what the workers logged of a mailing's windows, in the order they were settled."""
        lines = [line for log in self.logs for line in log.read_text().splitlines()]
        entries = [json.loads(line) for line in lines if '"window settled"' in line]
        return sorted(
            (entry for entry in entries if entry.get("mailing") == mailing),
            key=lambda entry: entry["timestamp"],
        )


def children(pid: int) -> list[int]:
    """Return the processes one process started and has not waited for."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def resident_mb(pid: int, *, peak: bool = False) -> float:
    """Return the resident memory of a process, now or at its highest, in MB (10**6 bytes)."""
    field = "VmHWM:" if peak else "VmRSS:"
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _ticks(pid: int, *, with_ended: bool) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(int(field) for field in fields[11 : 15 if with_ended else 13])


def cpu_seconds(pids: list[int], *, with_ended: bool = False) -> float:
    """Return the processor time the processes have used; with that of children that ended."""
    ticks = sum(_ticks(pid, with_ended=with_ended) for pid in pids)
    return ticks / os.sysconf("SC_CLK_TCK")


def postgres_cpu() -> float:
    """Return the processor seconds of all of PostgreSQL, 0 where it runs on another machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not stat.exists():
        return 0.0
    postmaster = int(stat.read_text().rpartition(")")[2].split()[1])
    living = cpu_seconds(children(postmaster))
    return living + cpu_seconds([postmaster], with_ended=True)


def wal_position() -> int:
    """Return how many bytes of WAL PostgreSQL has written since it was made."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def sizes() -> dict[str, int]:
    """Return the bytes of the database, of the ledger's table and of its indexes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_database_size(current_database()), pg_relation_size('newsletter_delivery'),"
            " pg_indexes_size('newsletter_delivery')"
        )
        names = ("database_bytes", "ledger_bytes", "ledger_index_bytes")
        return dict(zip(names, map(int, cursor.fetchone()), strict=True))


def set_up() -> None:
    """Have Django read the environment, and make the tables."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
