"""Keep a set of processes running: start them, restart what dies, stop them in good order."""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GRACE = 8.0


# Loaded here and not between fork and exec, where another thread's lock could be held for ever.
_LIBRARY = ctypes.CDLL(None)
_WHEN_THE_PARENT_DIES = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>


def terminated_with_parent() -> None:
    """Have Linux end this child when its supervisor dies, by kill -9 too."""
    if hasattr(_LIBRARY, "prctl"):
        _LIBRARY.prctl(_WHEN_THE_PARENT_DIES, signal.SIGTERM)


def interrupted_with_parent() -> None:
    """The same by SIGINT: what PostgreSQL calls fast, not waiting for its clients."""
    if hasattr(_LIBRARY, "prctl"):
        _LIBRARY.prctl(_WHEN_THE_PARENT_DIES, signal.SIGINT)


def killed_with_parent() -> None:
    """The same by SIGKILL: for Celery, which may wait for a broker that has gone as well.

    Its children do so themselves, and a killed worker is what the ledger is made for.
    """
    if hasattr(_LIBRARY, "prctl"):
        _LIBRARY.prctl(_WHEN_THE_PARENT_DIES, signal.SIGKILL)


@dataclass
class Program:
    """One process to keep running."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    ends: Callable[[], None] = terminated_with_parent
    """What the child does to end when its supervisor dies."""
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    not_before: float = 0.0

    def start(self) -> None:
        """Start the process; what it prints goes to its log file."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=self.ends,
            )
        self.started_at = time.monotonic()

    @property
    def is_running(self) -> bool:
        """Tell whether the process is there."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Watches its programs until told to stop."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.programs: list[Program] = []
        self.watched: list[tuple[str, Callable[[], bool], Callable[[], None]]] = []
        self.stopping = threading.Event()

    def add(self, program: Program) -> None:
        """Start one more program."""
        program.start()
        self.programs.append(program)

    def watch(self, name: str, is_running: Callable[[], bool], start: Callable[[], None]) -> None:
        """Watch a server that knows itself how to start."""
        self.watched.append((name, is_running, start))

    def run(self) -> None:
        """Restart what dies, with growing patience, until told to stop."""
        while not self.stopping.wait(0.25):
            for name, is_running, start in self.watched:
                if not is_running():
                    self.say(f"{name} has stopped; starting it again.")
                    try:
                        start()
                    except RuntimeError as fault:
                        self.say(str(fault))
            for program in self.programs:
                if not program.is_running:
                    self._again(program)

    def _again(self, program: Program) -> None:
        now = time.monotonic()
        if program.not_before == 0.0:
            steady = now - program.started_at > 30
            program.deaths = 1 if steady else program.deaths + 1
            program.not_before = now + min(30.0, 0.5 * 2 ** (program.deaths - 1))
            assert program.process is not None
            code = program.process.returncode
            kill_group(program.process.pid)  # what it started itself, and left behind
            self.say(
                f"{program.name} has stopped (code {code}); starting it again."
                f" Its log: {program.log}"
            )
        if now >= program.not_before:
            program.not_before = 0.0
            program.start()

    def stop(self) -> None:
        """Stop all programs, the last one started first, by force after some seconds."""
        self.stopping.set()
        running = [program for program in reversed(self.programs) if program.is_running]
        for program in running:
            assert program.process is not None
            program.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for program in running:
            assert program.process is not None
            try:
                program.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{program.name} does not end by itself; ending it by force.")
            kill_group(program.process.pid)
            program.process.wait(5)


def kill_group(pid: int) -> None:
    """End a process and all it started, at once."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
