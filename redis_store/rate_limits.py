"""How often something may be done: token buckets in Redis, shared by all processes."""

import time
from pathlib import Path

import redis

from redis_store import connection
from redis_store.connection import Script

TAKE_TOKEN = Script(Path(__file__).with_name("lua") / "take_token.lua")


class LimitsUnavailable(Exception):
    """Redis is away; the caller falls back to a limit of its own, never to none."""


def count(key: str, *, seconds: int) -> int:
    """Count one more of something; return how many there were since the first, `seconds` ago.

    Raises LimitsUnavailable where Redis is away.
    """
    try:
        with connection.server().pipeline() as pipeline:
            pipeline.set(f"limit:{key}", 0, nx=True, ex=seconds)
            pipeline.incr(f"limit:{key}")
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
