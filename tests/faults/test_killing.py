"""kill -9 at random moments of a campaign: nothing lost, nothing doubled, all true."""

import random
import time
from bisect import bisect_left

import pytest
from django.db.models import Sum

from newsletter import approving
from newsletter.models import Lease
from tests.cast import Cast
from tests.faults.conftest import add_readers
from tests.faults.workers import CONNECTIONS, Line, Seen, states, wait_until

pytestmark = pytest.mark.xdist_group("faults")

READERS = 4_000


@pytest.mark.parametrize(("victim", "kills"), [("child", 12), ("whole worker", 6), ("parent", 4)])
def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(
    line: Line, cast: Cast, victim: str, kills: int
) -> None:
    """AT-C1: each is accepted once or unknown, and what is unknown was on the wire."""
    add_readers(cast, READERS)
    line.start_mail(per_second=150)
    line.start_workers()
    campaign = cast.campaign()
    approving.send_now(mailing=campaign, staff=None)
    dice = random.Random()
    killed_at = []
    for _ in range(kills):
        if dice.random() < 0.8:  # else whatever it is at: starting, staging, taking, recovering
            before = line.count()
            wait_until(lambda before=before: line.count() > before, 20, line.logs)  # type: ignore[misc]
        time.sleep(dice.uniform(0.0, 0.6))
        killed_at.append(time.time())
        kill(line, victim)
    line.ask_mail("XPACE 0")
    line.wait_until_nothing_goes(campaign, patience=30)

    ended = states(campaign)
    accepted = line.accepted()
    sent = {address for address, state in ended.items() if state == "sent"}
    unknown = {address for address, state in ended.items() if state == "unknown"}
    print(
        f"{kills} kills of the {victim}: {len(ended)} deliveries, {len(sent)} sent,"
        f" {len(unknown)} unknown, {len(unknown & set(accepted))} of them accepted"
    )
    assert len(ended) == READERS + 1
    assert max(accepted.values()) == 1
    assert sent | unknown == set(ended)
    assert set(accepted) <= set(ended)
    assert sent <= set(accepted)
    assert len(unknown) <= kills * CONNECTIONS
    in_flight = on_the_wire(line.seen(), killed_at)
    assert unknown <= in_flight
    counted = Lease.objects.aggregate(sent=Sum("sent"), unknown=Sum("unknown"))
    assert counted == {"sent": len(sent), "unknown": len(unknown)}
    line.wait_for(campaign, "sending" if unknown else "sent", patience=5)


def kill(line: Line, victim: str) -> None:
    """End the sending process, the whole worker, or the parent that watches the sending one."""
    if victim == "child":
        line.kill_child("bulk")
        return
    if victim == "parent":
        line.kill_parent("bulk")
    else:
        line.kill("bulk")
    line.start_bulk()


def on_the_wire(seen: list[Seen], killed_at: list[float]) -> set[str]:
    """Return who may have been on a wire at a kill: the last two begun on a connection it ended.

    Two, for the server may have answered one and asked for the next before the worker read either.
    """
    found: set[str] = set()
    last: dict[int, list[Seen]] = {}
    for each in seen:
        if each.what == "begun":
            last[each.connection] = [*last.get(each.connection, [])[-1:], each]
        elif each.what == "closed" and each.connection in last:
            # The server only looks at a connection again when its mail's turn has come.
            nearest = bisect_left(killed_at, each.at) - 1
            if nearest >= 0 and each.at - killed_at[nearest] < 2:
                found |= {one.recipient for one in last[each.connection]}
    return found
