"""The Redis that all processes share: one connection pool, short patience, scripts by name."""

from functools import cache
from pathlib import Path

import redis
from django.conf import settings

ANSWER_SECONDS = 0.5
"""Seconds to wait for Redis; the pace falls back to a low one after that."""


def connect(*, patience: float) -> redis.Redis:
    """Return a pool of its own whose connections give up after so many seconds."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        **settings.REDIS_TLS,
    )


@cache
def _server(url: str) -> redis.Redis:
    return connect(patience=ANSWER_SECONDS)


def server() -> redis.Redis:
    """Return the connection pool of this process."""
    return _server(settings.REDIS_URL)


def first_in(seconds: float, name: str) -> bool:
    """Tell whether nobody else asked for this within so many seconds, by Redis' own clock.

    Raises RedisError where Redis is away.
    """
    return bool(server().set(f"first:{name}", 1, nx=True, px=int(seconds * 1000)))


class Script:
    """A Lua script of one file or several, one after the other; `keys` says how many it names.

    It is sent whole only where Redis does not know it yet.
    """

    def __init__(self, *files: Path, keys: int = 1) -> None:
        self._text = "".join(file.read_text(encoding="utf-8") for file in files)
        self._keys = keys
        self._sha = ""

    def __call__(self, *keys_and_args: str) -> object:
        """Run it on its keys, then its arguments; raises RedisError where Redis is away."""
        if self._sha:
            try:
                return server().evalsha(self._sha, self._keys, *keys_and_args)
            except redis.exceptions.NoScriptError:
                pass
        self._sha = str(server().script_load(self._text))
        return server().evalsha(self._sha, self._keys, *keys_and_args)
