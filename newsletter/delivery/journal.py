"""What a crash must not forget: which mails were about to be on the wire, and what was answered.

One small local file per run of a worker, kept by the kernel when its worker is killed. The worker
holds a lock on it; whoever gets that lock knows that the worker is gone.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from newsletter.transports import Outcome


class JournalLeft(NamedTuple):
    """What the journal of a lost worker says about its last run."""

    attempt: int
    going: set[int]
    answered: list[Outcome]


class Journal:
    """The open file of one run."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __call__(self, going: Sequence[int], answered: Sequence[Outcome]) -> None:
        """Append one round of the wire: one write, a few microseconds."""
        os.write(self._descriptor, json.dumps([going, answered]).encode() + b"\n")


def _folder() -> Path:
    folder = Path(settings.NOTES_FOLDER)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def path_of(attempt: int) -> Path:
    """Return where the journal of an attempt is kept."""
    return _folder() / f"{attempt}.notes"


def attempt_of(path: Path) -> int | None:
    """Return whose journal a file is; None for a file that is no journal."""
    return int(path.stem) if path.stem.isascii() and path.stem.isdecimal() else None


@contextmanager
def keep_journal(attempt: int) -> Iterator[Journal]:
    """Keep the journal of one attempt; it is thrown away when the run ends in good order."""
    path = path_of(attempt)
    fresh = path.with_suffix(".fresh")
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        fresh.rename(path)  # locked before anybody can find it
        yield Journal(descriptor)
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


@contextmanager
def left_behind(path: Path) -> Iterator[JournalLeft | None]:
    """Read the journal of a lost worker and throw it away after; None while it still lives."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield _read(int(path.stem), path.read_bytes())
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _read(attempt: int, written: bytes) -> JournalLeft:
    going: set[int] = set()
    answered: dict[int, Outcome] = {}
    for line in written.split(b"\n"):
        try:
            went, answers = json.loads(line)
        except ValueError:  # the last line of a worker killed while writing: nothing had gone yet
            continue
        going.update(went)
        for again in went:  # what is on the wire once more is not answered any more
            answered.pop(again, None)
        for answer in answers:
            answered[answer[0]] = Outcome(*answer)
    return JournalLeft(attempt, going, list(answered.values()))


def all_left() -> list[Path]:
    """Return the files of runs on this machine, live ones included."""
    return sorted(_folder().glob("*.notes"))
