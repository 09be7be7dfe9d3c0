"""What one process remembers of pace between two questions, also while Redis is away."""

import os
import secrets
import socket
import time
from collections import Counter


class LocalBuckets:
    """Token buckets of one token, on this process's own clock, while Redis is away (C-11)."""

    def __init__(self) -> None:
        self._ready_at: dict[tuple[int, int], float] = {}

    def take(self, key: tuple[int, int], wanted: int, rate: float) -> int:
        """Return how many may go now: one each 1/rate seconds."""
        moment = time.monotonic()
        if wanted < 1 or self._ready_at.get(key, 0.0) > moment:
            return 0
        self._ready_at[key] = moment + 1.0 / rate
        return 1


class Memory:
    """What this process remembers between two questions, also while Redis is away."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.name = f"{socket.gethostname()}:{self.process}:{secrets.token_hex(3)}"
        self.away_until = 0.0
        self.local_buckets = LocalBuckets()
        self.rests: dict[int, float] = {}
        self.stops: dict[tuple[int, int], float] = {}
        self.unreported_stops: set[tuple[int, int]] = set()
        self.on_the_wire: Counter[tuple[int, int]] = Counter()


_memory = Memory()


def mine() -> Memory:
    """Return the memory of this process; a fork begins with its own."""
    global _memory
    if _memory.process != os.getpid():
        _memory = Memory()
    return _memory


def forget() -> None:
    """Start afresh, as a new process does."""
    global _memory
    _memory = Memory()
