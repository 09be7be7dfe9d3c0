"""The way from the web process to the worker: hits in memory, then in a Redis stream."""

import os
import threading
import time
from collections import deque
from typing import NamedTuple
from uuid import UUID

import redis
from django.conf import settings

NAME = "heed:events"
LONGEST = 2_000_000
"""Entries the stream may hold while nobody drains it."""
BUFFER = 200_000
"""Hits kept in memory while Redis is away; the oldest go first (O-6: loss is acceptable)."""
EVERY = 0.005


class Hit(NamedTuple):
    """One pixel shown or one link followed; no address, no IP, no browser (O-8, O-9)."""

    kind: str
    delivery: int
    link: int
    at: int
    """Milliseconds since 1970."""


def key() -> str:
    """Return a time-ordered UUID (RFC 9562 §5.7) that makes noting a hit twice the same as once."""
    value = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) & ~(0x3 << 62) | (7 << 76) | (2 << 62)
    return str(UUID(int=value))


class Writer:
    """Collects hits and writes them in pipelined groups from a thread of its own."""

    def __init__(self) -> None:
        self._hits: deque[tuple[str, Hit]] = deque(maxlen=BUFFER)
        self._server: redis.Redis | None = None
        self._process = 0
        self._lock = threading.Lock()

    def note(self, hit: Hit) -> None:
        """Keep a hit; it is in the stream some milliseconds later."""
        self._hits.append((key(), hit))
        if self._process != os.getpid():
            self._begin()

    def _begin(self) -> None:
        """Start the thread once in each process, after any fork."""
        with self._lock:
            if self._process != os.getpid():
                self._server = redis.Redis.from_url(
                    settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1
                )
                threading.Thread(target=self._run, name="hits", daemon=True).start()
                self._process = os.getpid()

    def _run(self) -> None:
        while True:
            time.sleep(EVERY)
            try:
                while self._hits:
                    self.flush()
            except redis.RedisError:
                time.sleep(0.5)

    def flush(self, most: int = 500) -> None:
        """Write up to `most` hits in one round trip; they stay in memory where it fails."""
        if self._server is None:
            return
        group = [self._hits[i] for i in range(min(most, len(self._hits)))]
        pipe = self._server.pipeline(transaction=False)
        for name, hit in group:
            fields = {"k": name, "e": hit.kind, "d": hit.delivery, "l": hit.link, "t": hit.at}
            pipe.xadd(NAME, fields, maxlen=LONGEST, approximate=True)  # type: ignore[arg-type]
        pipe.execute()
        for _ in group:
            self._hits.popleft()


writer = Writer()
