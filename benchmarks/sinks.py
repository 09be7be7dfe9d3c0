"""Mail servers that take everything, and smtp-source beside the sender: both of Postfix."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import randrange

from benchmarks.campaign import AIM
from local.ports import hold_port

SESSIONS = 10


@contextmanager
def sink() -> Iterator[str]:
    """Run one smtp-sink for a while; yields its HOST:PORT; SystemExit where there is none."""
    program = shutil.which("smtp-sink")
    if program is None:
        raise SystemExit("smtp-sink is not on PATH (Debian: apt-get install postfix)")
    where = f"127.0.0.1:{hold_port(randrange(11_000, 16_000)).release()}"
    user = ("-u", "nobody") if os.geteuid() == 0 else ()
    process = subprocess.Popen(
        [program, *user, where, "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(where)
        yield where
    finally:
        process.terminate()
        process.wait(5)


def _wait(where: str) -> None:
    host, _, port = where.partition(":")
    for _ in range(50):
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("smtp-sink does not start")


def several(stack: ExitStack, count: int) -> list[str]:
    """Run so many sinks; return where they listen."""
    return [stack.enter_context(sink()) for _ in range(count)]


def source_rate(sinks: list[str], messages: int, *, size: int = AIM) -> float | None:
    """Return the messages a second of one smtp-source a sink, all at once.

    Ten kept connections each; None where smtp-source is not on PATH.
    """
    if shutil.which("smtp-source") is None:
        return None
    share = messages // len(sinks)
    arguments = ["-s", str(SESSIONS), "-m", str(share), "-l", str(size), "-d"]
    arguments += ["-f", "news@example.org", "-t", "reader@example.net"]
    began = time.perf_counter()
    running = [subprocess.Popen(["smtp-source", *arguments, where]) for where in sinks]
    for process in running:
        if process.wait():
            raise SystemExit("smtp-source failed")
    return share * len(sinks) / (time.perf_counter() - began)
