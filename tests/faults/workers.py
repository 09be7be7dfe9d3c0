"""The processes of one sending line: mail server, workers, timetable, web; start, ask, kill."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from local.ports import free_port, is_free
from newsletter.models import Delivery, Lease, Mailing

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 4
CELERY = ("-m", "celery", "-A", "config")
QUIET = ("--without-gossip", "--without-mingle", "-l", "WARNING")


class Seen(NamedTuple):
    """One event at the mail server (tests.faults.counting_smtp)."""

    what: str
    at: float
    connection: int
    recipient: str


@dataclass
class Line:
    """The processes of one sending line and what the mail server saw."""

    folder: Path
    port: int
    environment: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    groups: set[int] = field(default_factory=set)
    """Every process group begun: a killed parent may leave a child behind."""

    def start(self, name: str, *words: str) -> None:
        """Start one process; what it says goes to a file."""
        with (self.folder / f"{name}.log").open("ab") as out:
            started = subprocess.Popen(
                [sys.executable, "-W", "ignore", *words],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.running[name] = started
        self.groups.add(started.pid)

    def start_mail(self, per_second: float) -> None:
        """Start the mail server."""
        notes = str(self.folder / "seen.txt")
        self.start(
            "mail", "-m", "tests.faults.counting_smtp", str(self.port), notes, str(per_second)
        )
        wait_until(lambda: not is_free(self.port), 10, self.logs)

    def start_web(self) -> int:
        """Start the web server; return its port."""
        port = free_port(13_525)
        self.start(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", "1", "--blocking-threads", "2", "--no-access-log"),
            *("--log-level", "warning", "config.wsgi:application"),
        )
        wait_until(lambda: not is_free(port), 20, self.logs)
        return port

    def start_workers(self, *, children: int = 1) -> None:
        """Start a worker for campaigns, one for letters, and the timetable."""
        self.start_bulk(children=children)
        self.start("letters", *CELERY, "worker", "-Q", "letters", "-c", "1", "-n", "l@%h", *QUIET)
        schedule = str(self.folder / "timetable")
        self.start("beat", *CELERY, "beat", "-s", schedule, "--pidfile=", "-l", "WARNING")

    def start_bulk(self, *, children: int = 1) -> None:
        """Start the worker that sends campaigns."""
        name = f"b{time.time_ns()}@%h"
        self.start("bulk", *CELERY, "worker", "-Q", "bulk", "-c", str(children), "-n", name, *QUIET)

    def kill(self, name: str) -> None:
        """End a process and its children at once, as a power cut would."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def kill_parent(self, name: str) -> None:
        """End a process and leave its children to themselves."""
        process = self.running.pop(name)
        process.kill()
        process.wait(10)

    def kill_child(self, name: str) -> None:
        """End the sending process of a worker, once it has one."""
        parent = self.running[name].pid
        children = Path(f"/proc/{parent}/task/{parent}/children")
        wait_until(lambda: bool(children.read_text().split()), 10, self.logs)
        os.kill(int(children.read_text().split()[-1]), signal.SIGKILL)

    def ask_mail(self, command: str) -> str:
        """Say one command to the mail server; return what it answers."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as talk:
            file = talk.makefile("rwb")
            file.readline()
            file.write(f"{command}\r\n".encode())
            file.flush()
            return file.readline().decode().partition(" ")[2].strip()

    def count(self) -> int:
        """Return how many mails the mail server accepted since it was started."""
        return int(self.ask_mail("XCOUNT"))

    def seen(self) -> list[Seen]:
        """Return what the mail server noted."""
        rows = [row.split(" ") for row in (self.folder / "seen.txt").read_text().splitlines()]
        return [Seen(row[0], float(row[1]), int(row[2]), row[3]) for row in rows if len(row) == 4]

    def accepted(self) -> Counter[str]:
        """Return how often each recipient's mail was accepted."""
        return Counter(each.recipient for each in self.seen() if each.what == "accepted")

    def logs(self) -> str:
        """Return the end of what each process said."""
        return "\n".join(path.read_text()[-1500:] for path in self.folder.glob("*.log"))

    def wait_for(self, mailing: Mailing, state: str, patience: float) -> None:
        """Wait until a mailing is in a state; fail with the logs where it takes too long."""

        def is_there() -> bool:
            mailing.refresh_from_db(fields=["state", "waiting_reason"])
            return mailing.state == state

        wait_until(is_there, patience, lambda: f"{mailing.state}: {mailing.waiting_reason}")

    def wait_until_nothing_goes(self, mailing: Mailing, patience: float) -> None:
        """Wait until a mailing is staged and nothing of it is still to go or in work."""

        def is_over() -> bool:
            mailing.refresh_from_db(fields=["staged"])
            to_go = Delivery.objects.filter(mailing=mailing, state__in=("staged", "handing_over"))
            held = Lease.objects.filter(mailing=mailing).exclude(attempt=None)
            return mailing.staged is not None and not to_go.exists() and not held.exists()

        wait_until(is_over, patience, lambda: f"{states(mailing)}\n{self.logs()}")

    def stop(self) -> None:
        """End everything, what killed parents left behind too."""
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for process in self.running.values():
            process.wait(10)
        self.running.clear()


def wait_until(is_so: Callable[[], bool], patience: float, why: Callable[[], str]) -> None:
    """Wait for something; fail with what is told about it where it takes too long."""
    deadline = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {why()}")
        time.sleep(0.02)


def states(mailing: Mailing) -> dict[str, str]:
    """Return the state of everybody's delivery, by address."""
    rows = Delivery.objects.filter(mailing=mailing)
    return dict(rows.values_list("registrant__address", "state"))
