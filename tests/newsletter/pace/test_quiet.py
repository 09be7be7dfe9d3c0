"""Quiet hours are those of the client's clock, over midnight and over changes of the clocks."""

from datetime import UTC, datetime, time

import pytest

from newsletter.models import Sender
from newsletter.pace import quiet_until
from registrants.models import Client


def sender(begin: str | None, end: str | None, zone: str = "Europe/Berlin") -> Sender:
    """Return a sender that rests from one time to another."""
    return Sender(
        client=Client(time_zone=zone),
        quiet_from=begin and time.fromisoformat(begin),
        quiet_until=end and time.fromisoformat(end),
    )


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-23T20:59:59Z", None),  # 21:59:59 in Berlin
        ("2026-11-23T21:00:00Z", "2026-11-24T06:00:00Z"),
        ("2026-11-24T05:59:59Z", "2026-11-24T06:00:00Z"),
        ("2026-11-24T06:00:00Z", None),
        ("2026-07-01T20:30:00Z", "2026-07-02T05:00:00Z"),  # summer time
    ],
)
def test_over_midnight(at: str, until: str | None) -> None:
    """From ten in the evening to seven in the morning."""
    quiet_end = quiet_until(sender("22:00", "07:00"), datetime.fromisoformat(at))
    assert quiet_end == (datetime.fromisoformat(until) if until else None)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-23T10:59:00Z", None),
        ("2026-11-23T11:00:00Z", "2026-11-23T12:30:00Z"),
        ("2026-11-23T12:30:00Z", None),
    ],
)
def test_within_a_day(at: str, until: str | None) -> None:
    """From noon to half past one."""
    quiet_end = quiet_until(sender("12:00", "13:30"), datetime.fromisoformat(at))
    assert quiet_end == (datetime.fromisoformat(until) if until else None)


def test_the_night_the_clocks_are_put_forward_is_an_hour_shorter() -> None:
    """29 March 2026 in Berlin; half past two does not come, and is half past three."""
    at = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
    assert quiet_until(sender("22:00", "07:00"), at) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)
    assert quiet_until(sender("22:00", "02:30"), at) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_the_night_the_clocks_are_put_back_is_an_hour_longer() -> None:
    """25 October 2026 in Berlin; half past two comes twice, and counts the first time."""
    at = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert quiet_until(sender("22:00", "07:00"), at) == datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
    assert quiet_until(sender("22:00", "02:30"), at) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert quiet_until(sender("22:00", "02:30"), second) is None


def test_it_is_the_clients_clock() -> None:
    """Seven in the evening in Auckland is morning in London."""
    at = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    assert quiet_until(sender("19:00", "20:00", "Pacific/Auckland"), at) is not None
    assert quiet_until(sender("19:00", "20:00", "Europe/London"), at) is None


@pytest.mark.parametrize(("begin", "end"), [(None, None), ("07:00", "07:00")])
def test_no_quiet_hours_hold_nothing(begin: str | None, end: str | None) -> None:
    """Nor do hours of no length."""
    assert quiet_until(sender(begin, end), datetime(2026, 11, 23, 7, 0, tzinfo=UTC)) is None
