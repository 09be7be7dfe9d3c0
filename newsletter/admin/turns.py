"""One compile at a time for each member of staff, however many pages they have open."""

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, Final, cast

import redis
from django.http import HttpRequest

from newsletter import sandbox
from redis_store.connection import server

log = logging.getLogger(__name__)
TURN_SECONDS: Final = 30
"""Seconds after which a turn is over though nobody said so: its process was killed."""
TURN_PATIENCE: Final = 3.0
"""Seconds a second job of the same person waits for the first; a third does not wait."""
LOOK_AGAIN: Final = 0.03


def of(request: HttpRequest) -> AbstractContextManager[None]:
    """Have whatever is compiled in here wait for the turn of whoever asks for it."""
    return sandbox.in_turn(lambda: _turn(cast("int", request.user.pk)))


def by_staff(view: Callable[..., Any]) -> Callable[..., Any]:
    """Have whatever a view compiles wait for the turn of whoever asks for it."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with of(request):
            return view(request, *args, **kwargs)

    return asked


@contextlib.contextmanager
def _turn(staff: int) -> Iterator[None]:
    """Hold the turn of one person; raises UsedUp where they have something else made.

    Nobody waits for themselves in more than one place, so that no one person holds many threads
    of the web server. Without Redis there are no turns; the sandboxes are few all the same.
    """
    name, mine = f"turn:{staff}", secrets.token_hex(8)
    try:
        has_turn = _wait(name, mine)
    except redis.RedisError as away:
        log.warning("no turns are kept: %s", type(away).__name__)
        has_turn = True
    if not has_turn:
        raise sandbox.UsedUp("turn")
    try:
        yield
    finally:
        with contextlib.suppress(redis.RedisError):
            _give_back(name, mine)


def _wait(name: str, mine: str) -> bool:
    if _take(name, mine, TURN_SECONDS):
        return True
    if not _take(f"{name}:next", mine, TURN_PATIENCE + 1):
        return False
    try:
        until = time.monotonic() + TURN_PATIENCE
        while time.monotonic() < until:
            time.sleep(LOOK_AGAIN)
            if _take(name, mine, TURN_SECONDS):
                return True
        return False
    finally:
        _give_back(f"{name}:next", mine)


def _take(name: str, mine: str, seconds: float) -> bool:
    return bool(server().set(name, mine, nx=True, px=int(seconds * 1000)))


def _give_back(name: str, mine: str) -> None:
    if server().get(name) == mine.encode():
        server().delete(name)
