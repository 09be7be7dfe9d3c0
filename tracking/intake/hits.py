"""Hits on their way: kept in memory, written to the stream in groups by a thread of its own.

Neither the address, nor the browser of whoever asked is part of a hit (O-9 by leaving it out).
"""

import logging
import os
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import redis

from redis_store.connection import connect

log = logging.getLogger(__name__)

STREAM, FIELD = "tracking:hits", b"1"
PACKED = struct.Struct(">16sBQIQ")
OPENED, CLICKED = 1, 2
GATHER_SECONDS, PATIENCE_SECONDS = 0.005, 1.0
GROUP, GROUPS_AT_ONCE = 250, 20
KEPT_IN_MEMORY, KEPT_IN_STREAM = 100_000, 200_000


class Hit(NamedTuple):
    """One request for a pixel or a link: a key of its own, what, for which delivery, when (ms)."""

    key: bytes
    kind: int
    delivery: int
    link: int
    at: int


def pack(kind: int, delivery: int, link: int = 0) -> bytes:
    """Return one hit of this moment as bytes, under a time-ordered key (RFC 9562 §5.7)."""
    at = time.time_ns() // 1_000_000
    rest = int.from_bytes(os.urandom(10), "big")
    version = 0x7 << 76 | (rest >> 68 & 0xFFF) << 64
    key = at << 80 | version | 0b10 << 62 | rest & (1 << 62) - 1
    return packed(Hit(key.to_bytes(16, "big"), kind, delivery, link, at))


def packed(hit: Hit) -> bytes:
    """Return a hit as bytes."""
    return PACKED.pack(*hit)


def unpack(group: bytes) -> Iterator[Hit]:
    """Return the hits of one entry of the stream; bytes that are no hits are left out."""
    if len(group) % PACKED.size:
        log.warning("an entry of %s bytes is no group of hits; left out", len(group))
        return iter(())
    return (Hit(*fields) for fields in PACKED.iter_unpack(group))


class Buffer:
    """The hits of one process until they are in the stream; the oldest go where it overflows."""

    def __init__(self, *, kept: int = KEPT_IN_MEMORY) -> None:
        self.waiting: deque[bytes] = deque(maxlen=kept)
        self._some = threading.Event()
        self._starting = threading.Lock()
        self._process = 0
        self._server: redis.Redis | None = None

    def add(self, hit: bytes) -> None:
        """Keep a hit; it is in the stream some milliseconds later."""
        self.waiting.append(hit)
        if not self._some.is_set():
            self._some.set()
        if self._process != os.getpid():
            self._start()

    def _start(self) -> None:
        """Start the writing thread, once in each process: threads do not outlive a fork."""
        with self._starting:
            if self._process == os.getpid():
                return
            self._process, self._server = os.getpid(), None
            threading.Thread(target=self._write_on, name="hits", daemon=True).start()

    def _write_on(self) -> None:
        """Write for as long as the process lives; a lost Redis is tried again and again."""
        pause = GATHER_SECONDS
        while True:
            self._some.wait()
            self._some.clear()
            time.sleep(pause)
            try:
                self.flush()
                pause = GATHER_SECONDS
            except redis.RedisError as away:
                if pause == GATHER_SECONDS:
                    log.warning("the stream of hits cannot be written: %s", type(away).__name__)
                pause = min(PATIENCE_SECONDS, max(0.1, pause * 2))
                self._some.set()

    def flush(self) -> int:
        """Write what is waiting; return how many hits. Raises RedisError and keeps them then."""
        written = 0
        while self.waiting:
            taken = self._take()
            try:
                self._write(taken)
            except redis.RedisError:
                self.waiting.extendleft(reversed(taken))
                raise
            written += len(taken)
        return written

    def _take(self) -> list[bytes]:
        count = min(len(self.waiting), GROUP * GROUPS_AT_ONCE)
        return [self.waiting.popleft() for _ in range(count)]

    def _write(self, taken: list[bytes]) -> None:
        """Write groups in one round trip; one that was written twice is noted once by its keys."""
        pipeline = self._stream().pipeline(transaction=False)
        for start in range(0, len(taken), GROUP):
            group = b"".join(taken[start : start + GROUP])
            pipeline.xadd(STREAM, {FIELD: group}, maxlen=KEPT_IN_STREAM, approximate=True)
        pipeline.execute()

    def _stream(self) -> redis.Redis:
        if self._server is None:
            self._server = server()
        return self._server


def server() -> redis.Redis:
    """Return a connection to the stream that gives up after a second."""
    return connect(patience=1.0)


BUFFER = Buffer()
