"""A sandbox with jobs that no mail asks for: they hang, spin, recurse, and eat."""

import re
import signal
import time

from newsletter.sandbox import child
from newsletter.sandbox.frames import Message


def hang(message: Message) -> Message:
    """Wait without using a processor, as a lock would."""
    time.sleep(60)
    return {}


def spin(message: Message) -> Message:
    """Stay in C code for minutes."""
    re.match(r"(a|a)*b", "a" * 60)
    return {}


def recurse(message: Message) -> Message:
    """Overflow the stack in C code."""
    inner: tuple[object, ...] = ()
    for _ in range(1_000_000):
        inner = (inner,)
    hash(inner)
    return {}


def eat(message: Message) -> Message:
    """Ask for more memory than there is."""
    return {"size": len(bytearray(2**30))}


def bloat(message: Message) -> Message:
    """Do the job, and be worn afterwards."""
    return {"size": len(bytearray(90 * 2**20))}


def grow(message: Message) -> Message:
    """Answer more than a frame holds."""
    return {"text": "a" * 9_000_000}


def stumble(message: Message) -> Message:
    """Fail as nobody foresaw."""
    raise KeyError("a word of somebody's mail")


def die(message: Message) -> Message:
    """Be stopped from outside."""
    signal.raise_signal(signal.SIGKILL)
    return {}


JOBS_OF_NO_MAIL = (hang, spin, recurse, eat, bloat, grow, stumble, die)
for name, quicker in (("PROCESSOR_SECONDS", 0.8), ("WORN", 100 * 1024), ("LOOK_ROUND", 100)):
    setattr(child, name, quicker)
child.JOBS.update({job.__name__: job for job in JOBS_OF_NO_MAIL})

if __name__ == "__main__":
    child.main()
