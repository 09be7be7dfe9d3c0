"""What the tests of pace share: other processes, other times, answers of servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import cast

import redis

from newsletter import pace
from newsletter.models import PaceRule, Sender
from newsletter.pace import limits, memory
from newsletter.receivers import lookup
from newsletter.transports import Outcome
from newsletter.transports.base import State

GMAIL, OUTLOOK, REST = 1, 2, 0
SLOW_DOWN = Outcome(
    1, "deferred", 421, "4.7.28", "Gmail has detected an unusual rate of unsolicited mail"
)


def as_a_new_process() -> None:
    """Forget what this process knows of pace and receivers."""
    for forget in (memory.forget, limits.forget, lookup.forget):
        forget()


def limited(
    sender: Sender, *, per_second: int | None = None, rules: dict[int, float] | None = None
) -> Sender:
    """Give a sender limits that hold at once in this process."""
    sender.per_second = per_second
    sender.save()
    for receiver, rate in (rules or {}).items():
        PaceRule.objects.update_or_create(
            sender=sender, receiver=receiver, defaults={"per_second": Decimal(str(rate))}
        )
    limits.forget()
    return sender


def go(sender: Sender, wanted: dict[int, int], kind: pace.Kind = "campaign") -> dict[int, int]:
    """Return how many of each may go."""
    return {receiver: one.go for receiver, one in pace.admit(sender, wanted, kind=kind).items()}


def later(server: redis.Redis, sender: Sender, seconds: float) -> None:
    """Have so much time gone by: everything Redis noted about pace was so much earlier."""
    key = limits.key(sender.pk)
    stored = cast("dict[bytes, bytes]", server.hgetall(key))
    noted = {name.decode(): float(value) for name, value in stored.items()}
    times = ("at", "next", "stop", "seen", "slot")
    moved = {
        name: f"{value - seconds:.6f}" for name, value in noted.items() if name.startswith(times)
    }
    if moved:
        server.hset(key, items=[part for pair in moved.items() for part in pair])


@contextmanager
def another_process() -> Iterator[None]:
    """Ask as a process does that remembers nothing of this one."""
    mine = memory.mine()
    memory.forget()
    try:
        yield
    finally:
        memory._memory = mine


def answered(receiver: int, state: State, count: int = 1) -> list[tuple[int, Outcome]]:
    """Return outcomes as a transport gives them."""
    code = {"sent": 250, "deferred": 451, "failed": 550}.get(state, 0)
    return [(receiver, Outcome(number, state, code, "", "")) for number in range(count)]
