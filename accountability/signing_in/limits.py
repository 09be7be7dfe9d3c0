"""How often a password may be tried: by name and address, by address, and slowly by name alone.

Nobody can lock a name: what others do to it makes each try for it wait some seconds, never longer
than a minute, and each address waits for itself alone.
"""

import ipaddress
import math
import time

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from redis_store import rate_limits

PAIR_BURST, PAIR_RATE = 5, 1 / 60
ADDRESS_BURST, ADDRESS_RATE = 30, 1 / 20
BESIEGED = 20
"""Failures of one name within an hour, from wherever, after which each try for it waits."""
FIRST_DELAY, LONGEST_DELAY = 5.0, 60.0
REMEMBERED_SECONDS = 3600
RESETS_BURST, RESETS_RATE = 3, 1 / 1200
WITHOUT_REDIS_BURST, WITHOUT_REDIS_RATE = 10, 1.0

_without_redis = {"level": float(WITHOUT_REDIS_BURST), "at": 0.0}


def network(request: HttpRequest) -> str:
    """Return the visitor's address as limits count it: IPv4 as it is, IPv6 by /64."""
    try:
        ip = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", "")).partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network(f"{ip}/64", strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def _name(name: str) -> str:
    """Return a name as Redis may see it: a MAC, since somebody may have typed a password there."""
    return salted_hmac("sign-in", name.strip().casefold(), algorithm="sha256").hexdigest()[:32]


def _pair(name: str, request: HttpRequest) -> str:
    return f"sign-in:{_name(name)}:{network(request)}"


def seconds_to_wait(name: str, request: HttpRequest) -> int:
    """Take one try of this name from this address; return 0, or the seconds until there is one."""
    try:
        address = rate_limits.wait(
            f"sign-in:{network(request)}",
            rate=ADDRESS_RATE,
            burst=ADDRESS_BURST,
            begin=ADDRESS_BURST,
        )
        if address:
            return math.ceil(address)
        failures = rate_limits.count(
            f"sign-in:{_name(name)}:failures", seconds=REMEMBERED_SECONDS, add=0
        )
        rate, burst, begin = PAIR_RATE, PAIR_BURST, PAIR_BURST
        if failures >= BESIEGED:
            rate, burst, begin = 1 / _delay(failures), 1, 0
        return math.ceil(
            rate_limits.wait(_pair(name, request), rate=rate, burst=burst, begin=begin)
        )
    except rate_limits.LimitsUnavailable:
        return _wait_without_redis()


def _delay(failures: int) -> float:
    """Return the seconds each try waits: doubled with every further siege, a minute at most."""
    return float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures // BESIEGED - 1, 10)))


def _wait_without_redis() -> int:
    """Allow some tries a second in this process, whoever asks, while Redis is away."""
    at = time.monotonic()
    level = _without_redis["level"] + (at - _without_redis["at"]) * WITHOUT_REDIS_RATE
    level = min(float(WITHOUT_REDIS_BURST), level)
    taken = level >= 1
    _without_redis.update(level=level - taken, at=at)
    return 0 if taken else math.ceil((1 - level) / WITHOUT_REDIS_RATE)


def failed(name: str, request: HttpRequest) -> bool:
    """Count a failure of a name; tell whether it is the one that makes a siege of it."""
    key = f"sign-in:{_name(name)}:failures"
    try:
        return rate_limits.count(key, seconds=REMEMBERED_SECONDS) == BESIEGED
    except rate_limits.LimitsUnavailable:
        return False


def succeeded(name: str, request: HttpRequest) -> None:
    """Give back the try that was no failure, so that an office behind one address can sign in."""
    rate_limits.give_back(_pair(name, request), f"sign-in:{network(request)}")


def may_ask_for_a_link(address: str, request: HttpRequest) -> int:
    """Take one forgotten password of this network; return 0, or the seconds until there is one."""
    try:
        key = f"forgotten:{network(request)}"
        return math.ceil(
            rate_limits.wait(key, rate=RESETS_RATE, burst=2 * RESETS_BURST, begin=2 * RESETS_BURST)
        )
    except rate_limits.LimitsUnavailable:
        return 60


def may_be_mailed(address: str) -> bool:
    """Take one link of this e-mail address, whether anybody has it or not; nobody is told."""
    try:
        return rate_limits.allow(
            f"forgotten:{_name(address)}", rate=RESETS_RATE, burst=RESETS_BURST
        )
    except rate_limits.LimitsUnavailable:
        return False


def in_words(seconds: int) -> str:
    """Return a time to wait as people say it."""
    if seconds < 90:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    return f"{math.ceil(seconds / 60)} minutes"
