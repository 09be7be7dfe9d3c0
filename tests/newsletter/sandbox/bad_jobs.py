"""A sandbox with jobs that no mail asks for: they hang, spin, recurse, and eat."""

import re
import signal
import sys
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
    sys.setrecursionlimit(10**9)
    inner: list[object] = []
    for _ in range(10**6):
        inner = [inner]
    repr(inner)
    return {}


def eat(message: Message) -> Message:
    """Ask for more memory than there is."""
    return {"size": len(bytearray(2**30))}


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


child.JOBS.update({job.__name__: job for job in (hang, spin, recurse, eat, grow, stumble, die)})

if __name__ == "__main__":
    child.main()
