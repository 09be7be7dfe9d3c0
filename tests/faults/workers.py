"""The processes of one sending line: mail server, workers, timetable, web; start, kill, read."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from local.ports import is_free
from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Lease, Mailing
from tests.faults.mail import ROOT, MailServer, any_port
from tests.faults.patience import wait_until

CONNECTIONS = 4
CELERY = ("-m", "celery", "-A", "config")
QUIET = ("--without-gossip", "--without-mingle", "-l", "WARNING")


@dataclass
class Line:
    """The processes of one sending line."""

    folder: Path
    environment: dict[str, str]
    mail: MailServer
    """The server that EMAIL_URL names."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    groups: set[int] = field(default_factory=set)
    """Every process group begun: a killed parent may leave a child behind."""
    servers: list[MailServer] = field(default_factory=list)
    certificate: str = ""
    """The file its moody mail servers show where their mood speaks of TLS."""

    def start(self, name: str, *arguments: str) -> None:
        """Start one process; what it says goes to a file."""
        with (self.folder / f"{name}.log").open("ab") as out:
            started = subprocess.Popen(
                [sys.executable, "-W", "ignore", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.running[name] = started
        self.groups.add(started.pid)

    def start_mail(self, per_second: float) -> None:
        """Start the counting mail server at a pace (0: any)."""
        self.mail.program = ("tests.faults.counting_smtp", str(per_second))
        self.mail.start()

    def moody(self, mood: str, *, listening: bool = True) -> MailServer:
        """Return one more mail server, with a mood."""
        port = any_port()
        program = ("tests.faults.moody_smtp", mood, self.certificate)
        made = MailServer(self.folder, port, program, self.environment)
        self.servers.append(made)
        if listening:
            made.start()
        return made

    def start_web(self, *, threads: int = 2) -> int:
        """Start the web server; return its port."""
        port = any_port()
        self.start(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", "1", "--blocking-threads", str(threads), "--no-access-log"),
            *("--log-level", "warning", "config.wsgi:application"),
        )
        wait_until(lambda: not is_free(port), 20, self.logs)
        return port

    def start_workers(self, *, children: int = 1, odd: tuple[str, ...] = ()) -> None:
        """Start a worker for campaigns, one for letters, and the timetable."""
        self.start_bulk(children=children, odd=odd)
        self.start_letters(odd=odd)
        self.start_beat()

    def start_bulk(
        self, name: str = "bulk", *, children: int = 1, odd: tuple[str, ...] = ()
    ) -> None:
        """Start a worker that sends campaigns."""
        self._start_worker(name, "bulk,staging", children, odd)

    def start_letters(self, name: str = "letters", *, odd: tuple[str, ...] = ()) -> None:
        """Start a worker that sends letters and tends the ledger."""
        self._start_worker(name, "letters", 1, odd)

    def _start_worker(self, name: str, queue: str, children: int, odd: tuple[str, ...]) -> None:
        celery = ("-m", "tests.faults.odd_worker", *odd, "--") if odd else CELERY
        node = f"{name}{time.time_ns()}@%h"
        self.start(name, *celery, "worker", "-Q", queue, "-c", str(children), "-n", node, *QUIET)

    def start_beat(self, name: str = "beat", *, odd: tuple[str, ...] = ()) -> None:
        """Start a timetable."""
        celery = ("-m", "tests.faults.odd_worker", *odd, "--") if odd else CELERY
        schedule = str(self.folder / f"timetable-{name}")
        self.start(name, *celery, "beat", "-s", schedule, "--pidfile=", "-l", "WARNING")

    def revive(self) -> None:
        """Start a worker again that gave up: that is its supervisor's part.

        Celery ends a worker whose child is killed in the moment it was started.
        """
        for name, start in (("bulk", self.start_bulk), ("letters", self.start_letters)):
            if name in self.running and self.running[name].poll() is not None:
                start()

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

        def children() -> list[str]:
            self.revive()
            parent = self.running[name].pid
            return Path(f"/proc/{parent}/task/{parent}/children").read_text().split()

        wait_until(lambda: bool(children()), 10, self.logs)
        os.kill(int(children()[-1]), signal.SIGKILL)

    def terminate(self, name: str) -> float:
        """Ask a process to end, as an upgrade would; return how many seconds it took."""
        process, began = self.running.pop(name), time.monotonic()
        process.terminate()
        process.wait(60)
        return time.monotonic() - began

    def logs(self) -> str:
        """Return the end of what each process said."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text()[-1500:]}" for path in self.folder.glob("*.log")
        )

    def wait_for(self, mailing: Mailing, state: str, patience: float) -> None:
        """Wait until a mailing is in a state; fail with the logs where it takes too long."""

        def is_there() -> bool:
            mailing.refresh_from_db(fields=["state", "waiting_reason"])
            return mailing.state == state

        wait_until(
            is_there, patience, lambda: f"{mailing.state}: {mailing.waiting_reason}\n{self.logs()}"
        )

    def wait_until_nothing_goes(self, mailing: Mailing, patience: float) -> None:
        """Wait until a mailing is staged and nothing of it is still to go or in work.

        A mailing that was paused with a reason is told to go on, as its author would.
        """

        def is_over() -> bool:
            self.revive()
            mailing.refresh_from_db(fields=["staged"])
            to_go = Delivery.objects.filter(mailing=mailing, state__in=("staged", "handing_over"))
            leases = Lease.objects.filter(mailing=mailing).exclude(attempt=None)
            is_at_rest = mailing.staged is not None and not to_go.exists() and not leases.exists()
            mailing.refresh_from_db(fields=["state", "waiting_reason"])  # the last one to change
            if mailing.state == "paused":
                lifecycle.resume(mailing=mailing, staff=None)
                return False
            return is_at_rest

        def why() -> str:
            leases = Lease.objects.filter(mailing=mailing, closed_at=None).values()
            return f"{mailing.state}: {mailing.waiting_reason}\n{list(leases)[:3]}\n{self.logs()}"

        wait_until(is_over, patience, why)

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
        for server in (self.mail, *self.servers):
            server.kill()
