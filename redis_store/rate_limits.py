"""How often something may be done: token buckets in Redis, shared by all processes."""

import time
from contextlib import suppress
from pathlib import Path

import redis

from redis_store import connection
from redis_store.connection import Script

BACK_KEPT_SECONDS = 3600
"""Seconds; longer than it takes any bucket from which tokens come back to fill by itself."""
TAKE_TOKEN = Script(Path(__file__).with_name("lua") / "take_token.lua")
WAIT_FOR_TOKEN = Script(Path(__file__).with_name("lua") / "wait_for_token.lua")


class LimitsUnavailable(Exception):
    """Redis is away; the caller falls back to a limit of its own, never to none."""


def count(key: str, *, seconds: int, add: int = 1) -> int:
    """Count one more of something; return how many there were since the first, `seconds` ago.

    Raises LimitsUnavailable where Redis is away.
    """
    try:
        with connection.server().pipeline() as pipeline:
            pipeline.set(f"limit:{key}", 0, nx=True, ex=seconds)
            pipeline.incrby(f"limit:{key}", add)
            return int(pipeline.execute()[1])
    except redis.RedisError as away:
        raise LimitsUnavailable(type(away).__name__) from away


def allow(key: str, *, rate: float, burst: int) -> bool:
    """Take one token from a bucket that fills at `rate` a second up to `burst`.

    Returns False where the bucket is empty; raises LimitsUnavailable where Redis is away.
    """
    try:
        return bool(TAKE_TOKEN(f"limit:{key}", str(rate), str(burst), str(time.time())))
    except redis.RedisError as away:
        raise LimitsUnavailable(type(away).__name__) from away


def wait(key: str, *, rate: float, burst: int, begin: int) -> float:
    """Take one token from such a bucket; return the seconds until there is one, 0 where taken.

    A bucket nobody took from yet holds `begin`. Raises LimitsUnavailable where Redis is away.
    """
    try:
        seconds = WAIT_FOR_TOKEN(
            f"limit:{key}", str(rate), str(burst), str(time.time()), str(begin)
        )
    except redis.RedisError as away:
        raise LimitsUnavailable(type(away).__name__) from away
    return float(seconds) if isinstance(seconds, bytes) else 0.0


def give_back(*keys: str) -> None:
    """Put the token taken last back into each of these buckets; quiet where Redis is away."""
    with suppress(redis.RedisError):
        for key in keys:
            connection.server().hincrbyfloat(f"limit:{key}", "level", 1)
            connection.server().expire(f"limit:{key}", BACK_KEPT_SECONDS)
