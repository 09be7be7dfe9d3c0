"""The sandboxes each process keeps warm: two, a new one where one died, none shared by forks."""

import atexit
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Final

from newsletter.content.errors import SourceError, SourceErrors
from newsletter.sandbox.errors import UsedUp
from newsletter.sandbox.frames import Message, TooLong
from newsletter.sandbox.process import Ended, Sandbox

log = logging.getLogger(__name__)
KEPT_WARM: Final = 2
PATIENCE: Final = 5.0
"""Seconds a job waits for a sandbox while all of them are at work."""
TRIES: Final = KEPT_WARM + 1
"""How often a job is begun where sandboxes are stopped from outside, as all kept ones may be."""


class _Pool:
    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.idle: list[Sandbox] = []
        self.at_work = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[Sandbox]:
        """Lend a sandbox; one that did not give its job back whole is gone afterwards."""
        sandbox = self._take()
        try:
            yield sandbox
        finally:
            if not sandbox.is_sound:
                sandbox.end()
            with self.changed:
                self.at_work -= 1
                if sandbox.is_sound:
                    self.idle.append(sandbox)
                self._fill()
                self.changed.notify()

    def _take(self) -> Sandbox:
        until = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                self._fill()
                if self.idle:
                    self.at_work += 1
                    return self.idle.pop(0)
                if not self.changed.wait(until - time.monotonic()):
                    raise UsedUp("busy")

    def _fill(self) -> None:
        """Have as many as are kept, those at work counted; they warm up by themselves."""
        for sandbox in [one for one in self.idle if not one.is_alive()]:
            self.idle.remove(sandbox)
            sandbox.end()
        while len(self.idle) + self.at_work < KEPT_WARM:
            self.idle.append(Sandbox())

    def close(self) -> None:
        """End what is idle; what is at work ends with its job."""
        with self.changed:
            while self.idle:
                self.idle.pop().end()


_pool = _Pool()
_of_the_parent: list[_Pool] = []
_turn: ContextVar[Callable[[], AbstractContextManager[None]]] = ContextVar(
    "turn", default=contextlib.nullcontext
)


def _after_fork() -> None:
    """Leave the parent its sandboxes: two who read one pipe would get each other's mail."""
    global _pool
    for sandbox in _pool.idle:
        sandbox.let_go()
    _of_the_parent.append(_pool)
    _pool = _Pool()


def close() -> None:
    """End the sandboxes of this process; the next job starts new ones."""
    _pool.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(close)


@contextlib.contextmanager
def in_turn(turn: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """Have each job asked for in here be done within a turn; it may raise UsedUp instead."""
    mark = _turn.set(turn)
    try:
        yield
    finally:
        _turn.reset(mark)


def ask(job: str, message: Message) -> Message:
    """Have a job done and return its answer; raises SourceErrors, UsedUp where it took too much."""
    with _turn.get()():
        return _answer_of(_asked({"job": job, **message}))


def _asked(message: Message) -> Message:
    for _ in range(TRIES):
        with _pool.one() as sandbox:
            try:
                return sandbox.ask(message)
            except TooLong:
                raise UsedUp("size") from None
            except Ended as ended:
                if ended.what == "lost":
                    continue
                raise UsedUp(ended.what) from None
    raise UsedUp("lost")


def _answer_of(answer: Message) -> Message:
    if "answer" in answer:
        made: Message = answer["answer"]
        return made
    if "used_up" in answer:
        raise UsedUp(answer["used_up"])
    if "faults" in answer:
        raise SourceErrors([SourceError(*fault) for fault in answer["faults"]])
    log.error("a mail could not be made: %s", answer.get("unforeseen"))
    sentence = "could not be made into a mail; this is a fault of Heed, which is in its log now"
    raise SourceErrors([SourceError("body", sentence)])
