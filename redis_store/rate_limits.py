"""How often something may be done: token buckets in Redis, shared by all processes."""

import time

import redis

from redis_store.connection import Script

TAKE = Script("""
local level = redis.call('HMGET', KEYS[1], 'level', 'at')
local rate, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(level[1]) or burst
local last = tonumber(level[2]) or now
now = math.max(now, last)
full = math.min(burst, full + (now - last) * rate)
local allowed = 0
if full >= 1 then full = full - 1; allowed = 1 end
redis.call('HSET', KEYS[1], 'level', full, 'at', now)
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 60)
return allowed
""")


class LimitsUnavailable(Exception):
    """Redis is away; the caller falls back to a limit of its own, never to none."""


def allow(key: str, *, rate: float, burst: int) -> bool:
    """Take one token from a bucket that fills at `rate` a second up to `burst`.

    Returns False where the bucket is empty; raises Unreachable where Redis is away.
    """
    try:
        return bool(TAKE(f"limit:{key}", str(rate), str(burst), str(time.time())))
    except redis.RedisError as away:
        raise LimitsUnavailable(type(away).__name__) from away
