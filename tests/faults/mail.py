"""A mail server in a process of its own, as a test starts, asks, kills and reads it."""

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import randrange
from typing import NamedTuple

from local.ports import hold_port, is_free
from tests.faults.patience import wait_until

ROOT = Path(__file__).resolve().parents[2]


def any_port() -> int:
    """Return a free port, far from where another run would look first."""
    return hold_port(randrange(12_000, 16_000)).release()


class Seen(NamedTuple):
    """One event at the mail server: begun, accepted, closed or what its mood adds."""

    what: str
    at: float
    connection: int
    recipient: str


@dataclass
class MailServer:
    """One server (tests.faults.counting_smtp or moody_smtp) and the file it notes events in."""

    folder: Path
    port: int
    program: tuple[str, ...]
    """The module, then what it is told after the port and the file."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    process: subprocess.Popen[bytes] | None = None
    _read: int = 0
    _counted: int = 0

    @property
    def notes(self) -> Path:
        """Return the file of events; a server started again goes on in it."""
        return self.folder / f"seen-{self.port}.txt"

    def start(self) -> None:
        """Start it and wait until it listens."""
        module, *arguments = self.program
        with (self.folder / f"mail-{self.port}.log").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, str(self.port), str(self.notes), *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        wait_until(lambda: not is_free(self.port), 10, lambda: f"no server on {self.port}")
        assert self.process.poll() is None, f"somebody else listens on {self.port}"

    def kill(self) -> None:
        """End it at once, where it runs."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def ask(self, command: str) -> str:
        """Say one command to it; return what it answers."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as talk:
            file = talk.makefile("rwb")
            file.readline()
            file.write(f"{command}\r\n".encode())
            file.flush()
            return file.readline().decode().partition(" ")[2].strip()

    def count(self) -> int:
        """Return how many mails were accepted, over all its lives."""
        if self.notes.exists():
            with self.notes.open("rb") as notes:
                notes.seek(self._read)
                new = notes.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            self._counted += whole.count(b"accepted ")
        return self._counted

    def seen(self) -> list[Seen]:
        """Return what it noted."""
        if not self.notes.exists():
            return []
        rows = [row.split(" ") for row in self.notes.read_text().splitlines()]
        return [Seen(row[0], float(row[1]), int(row[2]), row[3]) for row in rows if len(row) == 4]

    def accepted(self) -> Counter[str]:
        """Return how often each recipient's mail was accepted."""
        return Counter(event.recipient for event in self.seen() if event.what == "accepted")

    def at(self, what: str) -> dict[str, float]:
        """Return when something last happened to each recipient's mail."""
        return {event.recipient: event.at for event in self.seen() if event.what == what}
