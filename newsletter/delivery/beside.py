"""Send for one client in a thread beside: a mail server that hangs keeps its own client waiting."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from django.db import connections

log = logging.getLogger(__name__)
OVERTIME: Final = 1.0
"""Seconds somebody's turn may take longer than it should before the next one begins."""
LOOK_EVERY: Final = 0.5

_pulses: dict[int, float] = {}
"""When mail of each client left last (time.monotonic)."""
_beside: dict[int, tuple[threading.Thread, Future[int]]] = {}
"""Clients something is being done for in this process."""


def is_busy(client: int) -> bool:
    """Tell whether something is still being done for a client: its mail server hangs."""
    known = _beside.get(client)
    if known is None or not known[1].done():
        return known is not None
    del _beside[client]
    if (fault := known[1].exception()) is not None:
        log.error("what was left beside failed", exc_info=fault)
    return False


def pulse(client: int) -> None:
    """Note that mail of a client leaves: its server does not hang."""
    _pulses[client] = time.monotonic()


def take_turn(
    client: int,
    act: Callable[[], int],
    *,
    seconds: float,
    others_wait: Callable[[], bool] = lambda: False,
) -> int | None:
    """Do something for a client that is not busy; None where it is left to itself after a while.

    That is when its time is over, or earlier where nothing moves and others wait. Raises what the
    act raises. What is left beside keeps its lease and its journal as ever.
    """
    result: Future[int] = Future()

    def run() -> None:
        try:
            result.set_result(act())
        except BaseException as fault:
            result.set_exception(fault)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, name=f"client-{client}", daemon=True)
    pulse(client)
    ends = time.monotonic() + seconds
    thread.start()
    while thread.is_alive() and (left := ends - time.monotonic()) > 0:
        thread.join(min(left, LOOK_EVERY))
        if time.monotonic() - _pulses[client] > OVERTIME and others_wait():
            break
    if not thread.is_alive():
        return result.result()
    _beside[client] = (thread, result)
    return None


def wait_for_all(seconds: float) -> None:
    """Wait for what is still going on, as a process ends."""
    deadline = time.monotonic() + seconds
    for thread, _ in list(_beside.values()):
        thread.join(max(0.0, deadline - time.monotonic()))
    _beside.clear()
