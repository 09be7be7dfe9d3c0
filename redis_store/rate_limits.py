"""How often something may be done: token buckets in Redis, shared by all processes."""

import time
from pathlib import Path

import redis

from redis_store.connection import Script

TAKE_TOKEN = Script(Path(__file__).with_name("lua") / "take_token.lua")


class LimitsUnavailable(Exception):
    """Redis is away; the caller falls back to a limit of its own, never to none."""


def allow(key: str, *, rate: float, burst: int) -> bool:
    """Take one token from a bucket that fills at `rate` a second up to `burst`.

    Returns False where the bucket is empty; raises LimitsUnavailable where Redis is away.
    """
    try:
        return bool(TAKE_TOKEN(f"limit:{key}", str(rate), str(burst), str(time.time())))
    except redis.RedisError as away:
        raise LimitsUnavailable(type(away).__name__) from away
