"""How long to wait and how much to do: some seconds every day, the whole of it in `make faults`."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

Amount = TypeVar("Amount")
LONG = os.environ.get("HEED_FAULTS") == "long"
TIME_LIMIT = 1_500 if LONG else 120
"""Seconds a test may take (pytest-timeout)."""


def lasting(everyday: Amount, long: Amount) -> Amount:
    """Return the first in the everyday suite, the second in the long run."""
    return long if LONG else everyday


def wait_until_more(
    count: Callable[[], int], than: int, patience: float, why: Callable[[], str]
) -> None:
    """Wait until a count is greater; fail with what is told about it where it takes too long."""
    wait_until(lambda: count() > than, patience, why)


def wait_until(is_so: Callable[[], bool], patience: float, why: Callable[[], str]) -> None:
    """Wait for something; fail with what is told about it where it takes too long."""
    deadline = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {why()}")
        time.sleep(0.02)
