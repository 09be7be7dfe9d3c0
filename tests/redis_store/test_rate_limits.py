"""Token buckets: burst, refill, walls between keys, and Redis away."""

import socket
import threading
import time

import pytest
import redis
import time_machine
from pytest_django import Settings

from redis_store import rate_limits


def test_a_bucket_gives_its_burst_and_then_refills(valkey: redis.Redis) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        given = [rate_limits.allow("a", rate=0.5, burst=3) for _ in range(5)]
        assert given == [True, True, True, False, False]
        clock.shift(1.9)
        assert not rate_limits.allow("a", rate=0.5, burst=3)
        clock.shift(0.2)
        assert rate_limits.allow("a", rate=0.5, burst=3)
        assert not rate_limits.allow("a", rate=0.5, burst=3)


def test_the_script_takes_one_token_on_the_clock_it_is_given(valkey: redis.Redis) -> None:
    taken = [
        rate_limits.TAKE_TOKEN("limit:x", "0.5", "2", str(at)) for at in (100, 100, 100, 103, 103)
    ]
    assert taken == [1, 1, 0, 1, 0]
    assert valkey.hgetall("limit:x") == {b"level": b"0.5", b"at": b"103"}


def test_what_is_counted_begins_anew_after_its_time(valkey: redis.Redis) -> None:
    assert [rate_limits.count("a", seconds=60) for _ in range(3)] == [1, 2, 3]
    assert rate_limits.count("b", seconds=60) == 1
    assert 0 < valkey.ttl("limit:a") <= 60
    valkey.delete("limit:a")  # as its end does
    assert rate_limits.count("a", seconds=60) == 1


def test_a_bucket_never_holds_more_than_its_burst(valkey: redis.Redis) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        assert rate_limits.allow("a", rate=1, burst=2)
        clock.shift(100_000)
        assert [rate_limits.allow("a", rate=1, burst=2) for _ in range(3)] == [True, True, False]


def test_a_clock_that_steps_back_fills_nothing(valkey: redis.Redis) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        assert rate_limits.allow("a", rate=1, burst=1)
        for step in (-10, 10, -10, 10):
            clock.shift(step)
            assert not rate_limits.allow("a", rate=0.01, burst=1)


def test_keys_do_not_share(valkey: redis.Redis) -> None:
    assert rate_limits.allow("a", rate=0.1, burst=1)
    assert rate_limits.allow("b", rate=0.1, burst=1)
    assert not rate_limits.allow("a", rate=0.1, burst=1)


def test_what_is_full_again_is_forgotten(valkey: redis.Redis) -> None:
    rate_limits.allow("a", rate=1, burst=10)
    assert 0 < valkey.ttl("limit:a") <= 70


def test_many_at_once_get_no_more_than_the_burst(valkey: redis.Redis) -> None:
    given: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda: given.extend(
                rate_limits.allow("a", rate=0.001, burst=25) for _ in range(20)
            )
        )
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(given) == 25


def test_redis_away_is_said_at_once(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    began = time.monotonic()
    with pytest.raises(rate_limits.LimitsUnavailable):
        rate_limits.allow("a", rate=1, burst=1)
    assert time.monotonic() - began < 1


def test_a_redis_that_hangs_is_not_waited_for(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began = time.monotonic()
        with pytest.raises(rate_limits.LimitsUnavailable):
            rate_limits.allow("a", rate=1, burst=1)
        assert time.monotonic() - began < 1
