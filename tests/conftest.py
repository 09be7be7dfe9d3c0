"""What every test may use."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import redis
from django.conf import settings

if TYPE_CHECKING:
    from tests.cast import Cast


def pytest_configure() -> None:
    """Hash the passwords of test staff fast, and have the test database hold a delivery's moves.

    The real hasher takes a third of a second each time. It stays in the list, and what runs in a
    process of its own (tests/journeys) uses it.
    """
    from tests import moves

    moves.connect()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]


@pytest.fixture
def valkey() -> Iterator[redis.Redis]:
    """Return an empty database of the real server."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Forget what earlier tests used up of the limits, which outlive a rolled-back database."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        if used := [*client.keys("limit:*"), *client.keys("breaker:*")]:
            client.delete(*used)


@pytest.fixture
def cast(db: None) -> "Cast":
    """Return one client with a person in every state (tests/cast.py)."""
    from tests.cast import make_cast

    return make_cast()
