"""The process of a sandbox: it takes jobs from a pipe, one at a time, and ends when it may not.

Started as `python -m newsletter.sandbox.child` with no environment. Whoever started it finds out
by its signal what was used up.
"""

import os
import resource
import select
import signal
import sys
import traceback
from typing import Final

from django.apps import apps
from django.conf import settings

from newsletter.content.errors import SourceErrors
from newsletter.sandbox import frames
from newsletter.sandbox.frames import Message
from newsletter.sandbox.jobs import JOBS

PROCESSOR_SECONDS: Final = 2.0
"""Seconds of processor time of one job; it ends in the midst of C code too."""
MEMORY: Final = 512 * 1024 * 1024
STACK: Final = 8 * 1024 * 1024
WORN: Final = 256 * 1024
"""Kilobytes of peak memory after which a process that did its job makes room for a fresh one."""
FORGOTTEN_SECONDS: Final = 20
"""Seconds by the clock after which a job ends though nobody waits for it any more."""
NICER: Final = 5
"""How much it stands back where processors are scarce: whoever answers readers goes first."""
LOOK_ROUND: Final = 5_000
"""Milliseconds between two looks for whether the one who asks is still there."""


def main() -> None:
    """Serve jobs until the pipe closes or whoever started this is gone."""
    parent = os.getppid()
    pipe_in, pipe_out = os.dup(0), os.dup(1)
    _limit()
    start = _read(pipe_in, parent)
    settings.configure(**(start or {}), USE_I18N=True, USE_TZ=True)
    apps.populate([])

    _close_the_rest()
    _write(pipe_out, {"ready": True})
    while (message := _read(pipe_in, parent)) is not None:
        job = JOBS[message.pop("job")]
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
        signal.alarm(FORGOTTEN_SECONDS)
        try:
            answer = {"answer": job(message)}
            frame = frames.packed(answer)
        except BaseException as error:
            frame = frames.packed(_reason(error))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        _send(pipe_out, frame)
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > WORN:
            return


def _limit() -> None:
    """Hold this process to what a mail may cost."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_STACK, STACK),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    os.nice(NICER)
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)


def _close_the_rest() -> None:
    """Keep what libraries print out of the frames, and write no file from here on."""
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _reason(error: BaseException) -> Message:
    """Return in plain data why a job failed; of what was not foreseen, where, but not the text."""
    if isinstance(error, SourceErrors):
        return {"faults": [[one.field, one.message, one.line, one.column] for one in error.faults]}
    if isinstance(error, MemoryError):
        return {"used_up": "memory"}
    if isinstance(error, RecursionError):
        return {"used_up": "nesting"}
    if isinstance(error, frames.TooLong):
        return {"used_up": "size"}
    place = traceback.extract_tb(error.__traceback__)[-1]
    return {"unforeseen": f"{type(error).__name__} in {place.name}, line {place.lineno}"}


def _read(pipe: int, parent: int) -> Message | None:
    """Return the next message, or None where nobody will ask any more.

    Whoever forked from the one who asks holds the other end of the pipe open, so its end alone
    does not tell; a signal at the parent's death would come at the death of one of its threads.
    """
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    while not waiting.poll(LOOK_ROUND):
        if os.getppid() != parent:
            return None
    head = _exactly(pipe, frames.HEAD)
    return frames.unpacked(_exactly(pipe, frames.length(head))) if head else None


def _exactly(pipe: int, size: int) -> bytes:
    """Return so many bytes, or none where the pipe ended."""
    data = b""
    while len(data) < size:
        piece = os.read(pipe, size - len(data))
        if not piece:
            return b""
        data += piece
    return data


def _write(pipe: int, message: Message) -> None:
    _send(pipe, frames.packed(message))


def _send(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]


if __name__ == "__main__":
    main()
