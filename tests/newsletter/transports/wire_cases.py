"""How the tests of the wire send, and how they check what they were told."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from newsletter.transports import (
    Message,
    Outcome,
    SmtpSettings,
    SmtpTransport,
    Timeouts,
    Unavailable,
)
from tests.scripted_smtp import ScriptedSmtp

QUICK = Timeouts(connect=1.0, command=1.0, end_of_data=1.0)


def message(number: int, data: bytes = b"Subject: Hello\r\n\r\nHello.\r\n") -> Message:
    """Make the message to recipient ``number``."""
    return Message(number, f"b+{number}@bounce.example", f"r{number}@example.org", data)


@contextmanager
def transport(server: ScriptedSmtp, **changes: object) -> Iterator[SmtpTransport]:
    """Open a transport to a scripted server, and close it."""
    settings: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "timeouts": QUICK}
    made = SmtpTransport(SmtpSettings(**(settings | changes)))
    try:
        yield made
    finally:
        made.close()


def by_number(outcomes: Iterable[Outcome]) -> dict[int, Outcome]:
    """Sort outcomes by delivery, having checked that none comes twice."""
    sorted_outcomes: dict[int, Outcome] = {}
    for outcome in outcomes:
        assert outcome.delivery not in sorted_outcomes
        sorted_outcomes[outcome.delivery] = outcome
    return sorted_outcomes


def send(server: ScriptedSmtp, count: int, **changes: object) -> dict[int, Outcome]:
    """Send ``count`` messages and check that what the server counted is what we were told."""
    with transport(server, **changes) as wire:
        outcomes = by_number(wire.send(message(number) for number in range(count)))
    assert sorted(outcomes) == list(range(count))
    assert_true(server, outcomes)
    return outcomes


def send_until(
    server: ScriptedSmtp, count: int, **changes: object
) -> tuple[dict[int, Outcome], Unavailable]:
    """Send until the wire gives up; check that everything it pulled has its outcome."""
    pulled: list[int] = []
    outcomes: list[Outcome] = []

    def given() -> Iterator[Message]:
        for number in range(count):
            pulled.append(number)
            yield message(number)

    with transport(server, **changes) as wire, pytest.raises(Unavailable) as trouble:
        outcomes.extend(wire.send(given()))
    sorted_outcomes = by_number(outcomes)
    assert sorted(sorted_outcomes) == pulled
    assert_true(server, sorted_outcomes)
    return sorted_outcomes, trouble.value


def assert_true(server: ScriptedSmtp, outcomes: dict[int, Outcome]) -> None:
    """Check every outcome against the server's own count; unknown alone may be either."""
    for number, outcome in outcomes.items():
        received = server.delivered[f"r{number}@example.org"]
        allowed = {"sent": (1,), "unknown": (0, 1)}.get(outcome.state, (0,))
        assert received in allowed, outcome
    assert server.accepted_to_nobody == 0
    assert set(server.delivered) <= {f"r{number}@example.org" for number in outcomes}
