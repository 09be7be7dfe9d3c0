"""One sandbox as its owner sees it: started with nothing, asked over pipes, ended when late."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from django.conf import settings

from newsletter.sandbox import frames
from newsletter.sandbox.frames import Message

CODE: Final = Path(__file__).parent.parent.parent
CLOCK_SECONDS: Final = 10.0
"""Seconds by the clock that one job may take."""
WARM_SECONDS: Final = 30.0
"""Seconds a sandbox may take to start, on a machine that has much else to do."""
WHAT: Final[dict[int, str]] = {
    signal.SIGPROF: "time",
    signal.SIGXCPU: "time",
    signal.SIGALRM: "clock",
    signal.SIGSEGV: "nesting",
    signal.SIGBUS: "nesting",
    signal.SIGABRT: "memory",
}
"""The signal a sandbox ended by → what was used up. Rust ends so where it gets no memory."""


class Ended(Exception):
    """A sandbox that gave no answer; `what` says why, in the words of newsletter.sandbox.errors."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Sandbox:
    """A process that does one job at a time; whoever has it alone may ask it."""

    def __init__(self, program: str = "newsletter.sandbox.child") -> None:
        flags = ["-X", "utf8"]
        if sys.pycache_prefix:
            flags += ["-X", f"pycache_prefix={sys.pycache_prefix}"]
        self._process = subprocess.Popen(
            [sys.executable, *flags, "-m", program],
            cwd=CODE,
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        os.set_blocking(self._to.fileno(), False)
        os.set_blocking(self._from.fileno(), False)
        self._is_warm = False
        self.is_sound = True
        """False from the first byte of a job to the last of its answer."""

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether it could be asked."""
        return self._process.poll() is None

    def ask(self, message: Message) -> Message:
        """Have one job done; raises Ended where no answer comes."""
        self.is_sound = False
        if not self._is_warm:
            until = time.monotonic() + WARM_SECONDS
            self._send(frames.packed(_languages()), until)
            self._receive(until)
            self._is_warm = True
        until = time.monotonic() + CLOCK_SECONDS
        self._send(frames.packed(message), until)
        answer = self._receive(until)
        self.is_sound = True
        return answer

    def end(self) -> None:
        """End it now, whatever it does."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self.let_go()
        self._process.wait()

    def let_go(self) -> None:
        """Close this side's ends of its pipes; it ends by itself where nobody else has them."""
        self._to.close()
        self._from.close()

    def _send(self, data: bytes, until: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._to.fileno(), select.POLLOUT, until)
            try:
                view = view[os.write(self._to.fileno(), view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended() from None

    def _receive(self, until: float) -> Message:
        size = frames.length(self._exactly(frames.HEAD, until))
        return frames.unpacked(self._exactly(size, until))

    def _exactly(self, size: int, until: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._from.fileno(), select.POLLIN, until)
            try:
                piece = os.read(self._from.fileno(), size - len(data))
            except BlockingIOError:
                continue
            if not piece:
                raise self._ended()
            data += piece
        return bytes(data)

    def _wait(self, pipe: int, event: int, until: float) -> None:
        waiting = select.poll()
        waiting.register(pipe, event)
        left = until - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise Ended("clock")

    def _ended(self) -> Ended:
        """Return why it ended, now that its pipe is closed."""
        try:
            number = -self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return Ended("lost")
        return Ended(WHAT.get(number, "lost"))


def _languages() -> Message:
    """Return the only settings a sandbox gets: in which languages it may speak to readers."""
    return {
        "LANGUAGE_CODE": settings.LANGUAGE_CODE,
        "LANGUAGES": [[code, str(name)] for code, name in settings.LANGUAGES],
        "LOCALE_PATHS": [str(path) for path in settings.LOCALE_PATHS],
    }
