"""Hits on their way: in the stream some milliseconds later, in memory while Redis is away."""

import time
from typing import cast
from uuid import UUID

import pytest
import redis
from pytest_django import Settings

from tracking.intake import hits

Entries = list[tuple[bytes, dict[bytes, bytes]]]


def stream_of(valkey: redis.Redis) -> list[hits.Hit]:
    """Return what is in the stream."""
    entries = cast("Entries", valkey.xrange(hits.STREAM))
    return [hit for _, fields in entries for hit in hits.unpack(fields[hits.FIELD])]


def test_a_hit_is_in_the_stream_at_once(valkey: redis.Redis) -> None:
    buffer = hits.Buffer()
    for delivery in range(600):
        buffer.add(hits.pack(hits.OPENED, delivery))
    deadline = time.monotonic() + 5
    while len(stream_of(valkey)) < 600 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [hit.delivery for hit in stream_of(valkey)] == list(range(600))
    assert not buffer.waiting


def test_without_redis_hits_wait_in_memory_and_go_when_it_is_back(
    valkey: redis.Redis, settings: Settings, buffer: hits.Buffer
) -> None:
    there, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    buffer.add(hits.pack(hits.OPENED, 1))
    buffer.add(hits.pack(hits.CLICKED, 2, 3))
    with pytest.raises(redis.RedisError):
        buffer.flush()
    assert len(buffer.waiting) == 2
    settings.REDIS_URL, buffer._server = there, None
    assert buffer.flush() == 2
    assert [(hit.delivery, hit.link) for hit in stream_of(valkey)] == [(1, 0), (2, 3)]


def test_memory_is_bounded_and_the_oldest_hits_go_first() -> None:
    """O-6: loss is acceptable, growth is not."""
    buffer = hits.Buffer(kept=10)
    for delivery in range(25):
        buffer.waiting.append(hits.pack(hits.OPENED, delivery))
    deliveries = [hit.delivery for hit in hits.unpack(b"".join(buffer.waiting))]
    assert deliveries == list(range(15, 25))


def test_keys_are_version_7_and_ordered_by_time() -> None:
    packed = []
    for _ in range(5):
        packed.append(hits.pack(hits.OPENED, 1))
        time.sleep(0.002)
    unpacked = [next(hits.unpack(record)) for record in packed]
    keys = [UUID(bytes=hit.key) for hit in unpacked]
    assert keys == sorted(keys)
    assert {key.version for key in keys} == {7}
    assert {key.variant for key in keys} == {"specified in RFC 4122"}


def test_a_hit_holds_nothing_about_who_asked() -> None:
    """O-9: delivery, link, kind, time and a random key are all there is."""
    assert set(hits.Hit._fields) == {"key", "kind", "delivery", "link", "at"}


def test_bytes_that_are_no_hits_are_left_out() -> None:
    assert list(hits.unpack(b"nonsense")) == []
    assert list(hits.unpack(b"")) == []
