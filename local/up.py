"""One command up: servers, migrations, demo data, web, workers, timetable."""

import fcntl
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from local import keys
from local.ports import hold_port
from local.postgres import Postgres
from local.supervisor import Program, Supervisor, killed_with_parent, terminated_with_parent
from local.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent
LOG_LONGEST = 20_000_000
WORKERS = {
    "letters": ("worker for letters and notices", "1"),
    "bulk,staging": ("worker for campaigns and events", "2"),
}
"""Queues → what serves them, and by how many processes: while one stages, the other sends."""


def say(message: str) -> None:
    """Say something to the person at the screen."""
    with suppress(OSError):  # the terminal may be gone; what runs must still be stopped
        print(message, flush=True)


class AlreadyRunning(Exception):
    """Another `up` holds this data folder; carries what it printed."""


@contextmanager
def alone(data: Path) -> Iterator[Path]:
    """Hold the data folder for this `up`; raises AlreadyRunning where another one does."""
    data.mkdir(parents=True, exist_ok=True)
    where = data / "up.txt"
    descriptor = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AlreadyRunning(where.read_text() if where.exists() else "") from None
    where.unlink(missing_ok=True)
    try:
        yield where
    finally:
        where.unlink(missing_ok=True)
        os.close(descriptor)


class Up:
    """Everything that runs on a newcomer's machine."""

    def __init__(self, data: Path, *, port: int) -> None:
        self.data = data.absolute()
        self.logs = self.data / "log"
        self.logs.mkdir(parents=True, exist_ok=True)
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > LOG_LONGEST:
                log.unlink()
        # Held from here on: what listens there starts half a minute later, and another `up` may
        # look for a port at this very moment.
        self.ports = [hold_port(port, say=say)]
        for offset in (25, 26):
            self.ports.append(hold_port(max(self.ports[-1].number + 1, port + offset), say=say))
        self.web_port, self.inbox_port, self.smtp_port = (port.number for port in self.ports)
        self.environment = self._environment()
        self.supervisor = Supervisor(say)
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None

    def _environment(self) -> dict[str, str]:
        """Return what the processes are told; what the caller set stands above our own."""
        ours = keys.kept(self.data)
        ours["HEED_PUBLIC_URL"] = f"http://127.0.0.1:{self.web_port}"
        ours["HEED_NOTES_FOLDER"] = str(self.data / "notes")
        ours["EMAIL_URL"] = f"smtp://127.0.0.1:{self.smtp_port}/?connections=4"
        ours["PYTHONUNBUFFERED"] = "1"
        ours["HEED_DEMO"] = "0" if "https://" in os.environ.get("HEED_PUBLIC_URL", "") else "1"
        return ours | dict(os.environ)

    @property
    def _has_demo(self) -> bool:
        """Tell whether demo people live here: only in a database of our own, on plain http."""
        return self.postgres is not None and self.environment["HEED_DEMO"] == "1"

    def start(self) -> None:
        """Start all of it, in the order it is needed; raises RuntimeError with what went wrong."""
        self._start_servers()
        self._manage("migrate", "--verbosity", "0")
        self._check_keys()
        if self._has_demo:
            self._manage("shell", "--verbosity", "0", "-c", "from local.demo import fill; fill()")
        if "EMAIL_URL" not in os.environ:
            self._add(
                "mail catcher",
                *("-m", "local.catcher", "--folder", str(self.data / "mail")),
                *("--smtp-port", str(self.smtp_port), "--web-port", str(self.inbox_port)),
            )
        self._add(
            "web",
            *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(self.web_port), "--workers", "1", "--blocking-threads", "8"),
            *("--no-access-log", "--log-level", "warning", "config.wsgi:application"),
        )
        quiet = ("--without-gossip", "--without-mingle", "-l", "WARNING")
        celery = ("-m", "celery", "-A", "config")
        for queues, (name, processes) in WORKERS.items():
            node = f"{queues.partition(',')[0]}@%h"
            worker = (*celery, "worker", "-Q", queues, "-n", node, "-c", processes, *quiet)
            self._add(name, *worker, ends=killed_with_parent)
        schedule = str(self.data / "timetable")
        beat = (*celery, "beat", "-s", schedule, "--pidfile=", "-l", "WARNING")
        self._add("timetable", *beat, ends=killed_with_parent)
        self._wait_for_web()

    def _start_servers(self) -> None:
        if "DATABASE_URL" not in os.environ:
            self.postgres = Postgres(self.data)
            if self.postgres.is_root:
                say(f"PostgreSQL refuses to run as root: its data lies in {self.postgres.home}")
            self.postgres.start(self.logs / "postgres.log")
            self.postgres.create()
            self.environment["DATABASE_URL"] = self.postgres.url()
            self.supervisor.watch("PostgreSQL", self._postgres_runs, self._postgres_again)
        if "REDIS_URL" not in os.environ:
            self.valkey = Valkey(self.data / "valkey")
            self.valkey.start(self.logs / "valkey.log")
            self.environment["REDIS_URL"] = self.valkey.url
            self.supervisor.watch("Valkey", self._valkey_runs, self._valkey_again)

    def _check_keys(self) -> None:
        """Refuse a database of other keys, which a removed data folder leaves behind for root."""
        try:
            self._manage("keys")
        except RuntimeError as fault:
            if self.postgres is None:
                raise
            raise RuntimeError(
                f"{fault}\nThe database in {self.postgres.cluster} was made with other keys than"
                f" those in {self.data}: was that folder removed? Put its keys.env back, or have"
                " `make clean` forget the old database and start again."
            ) from None

    def _postgres_runs(self) -> bool:
        return self.postgres is None or _runs(self.postgres.process)

    def _postgres_again(self) -> None:
        if self.postgres is not None:
            self.postgres.start(self.logs / "postgres.log")

    def _valkey_runs(self) -> bool:
        return self.valkey is None or _runs(self.valkey.process)

    def _valkey_again(self) -> None:
        if self.valkey is not None:
            self.valkey.start(self.logs / "valkey.log")

    def _add(
        self, name: str, *arguments: str, ends: Callable[[], None] = terminated_with_parent
    ) -> None:
        log = self.logs / f"{name.replace(' ', '-')}.log"
        command = [sys.executable, *arguments]
        self.supervisor.add(Program(name, command, self.environment, log, ends))

    def _manage(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{arguments[0]} failed:\n{done.stderr[-3000:]}")

    def _wait_for_web(self, patience: float = 45.0) -> None:
        address = f"http://127.0.0.1:{self.web_port}/admin/login/"
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and all(p.is_running for p in self.supervisor.programs):
            try:
                with urllib.request.urlopen(address, timeout=5):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.2)
        ended = [program for program in self.supervisor.programs if not program.is_running]
        faulty = ended[0] if ended else next(p for p in self.supervisor.programs if p.name == "web")
        raise RuntimeError(f"{faulty.name} does not run:\n{faulty.log.read_text()[-2000:]}")

    def welcome(self) -> str:
        """Return where to go and how to sign in."""
        web = f"http://127.0.0.1:{self.web_port}"
        lines = ["", "Heed is running.", ""]
        if self._has_demo:
            from local.demo_words import SIGN_INS

            lines += [
                f"  Sign up as a reader   {web}/s/heron/",
                f"  Staff                 {web}/admin/",
                *(f"    {role:<30} {name:<14} {password}" for role, name, password in SIGN_INS),
            ]
        else:
            lines += [
                f"  Staff                 {web}/admin/",
                "  This is your own database: no demo people are made. The first administrator:",
                "    .venv/bin/python manage.py createsuperuser   (docs/operations.md)",
            ]
        if "EMAIL_URL" not in os.environ:
            lines += [f"  Inbox of caught mail  http://127.0.0.1:{self.inbox_port}/"]
        lines += [f"  Logs                  {self.logs}", ""]
        if self.environment["HEED_DEMO"] == "1":
            lines += [
                "Links in mail are plain http here, for this demo alone (RFC 8058 wants https).",
            ]
        lines += ["Ctrl-C stops all of it; data is kept. `make clean` forgets it.", ""]
        return "\n".join(lines)

    def stop(self) -> None:
        """Stop all of it, the servers last."""
        self.supervisor.stop()
        if self.valkey is not None:
            self.valkey.stop()
        if self.postgres is not None:
            self.postgres.stop()
        for port in self.ports:
            port.release()


def _runs(process: subprocess.Popen[bytes] | None) -> bool:
    return process is not None and process.poll() is None


def up(data: Path, *, port: int) -> int:
    """Start everything and keep it running until Ctrl-C; return the exit code."""
    os.chdir(ROOT)
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if not interrupted:
            interrupted = True
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        with alone(data) as where:
            everything = Up(data, port=port)
            try:
                say("Starting ... (the first time makes the database and the demo data)")
                everything.start()
                where.write_text(everything.welcome())
                say(everything.welcome())
                everything.supervisor.run()
            except KeyboardInterrupt:
                say("\nStopping ...")
            except RuntimeError as fault:
                say(f"Heed cannot start: {fault}\nAll logs: {everything.logs}")
                return 1
            finally:
                everything.stop()
    except AlreadyRunning as other:
        say(f"Heed is already running on this data folder.\n{other}")
        return 0
    say("Stopped. Everything is kept; `make up` goes on from here.")
    return 0
