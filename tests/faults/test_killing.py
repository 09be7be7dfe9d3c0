"""kill -9 of the sending worker at random moments: nothing lost, nothing doubled, all true."""

import random
import time

from newsletter import approving
from newsletter.models import Delivery
from tests.cast import Cast
from tests.faults.conftest import Line, add_readers

READERS, KILLS, CONNECTIONS = 4_000, 6, 4


def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(line: Line, cast: Cast) -> None:
    """AT-C1."""
    add_readers(cast, READERS)
    line.start_mail(per_second=350)
    line.start_workers()
    campaign = cast.campaign()
    approving.send_now(mailing=campaign, staff=None)
    dice = random.Random(11)
    for _ in range(KILLS):
        before = len(line.accepted())
        deadline = time.monotonic() + 15
        while len(line.accepted()) == before and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(dice.uniform(0.0, 0.7))
        line.kill("bulk")
        line.start_bulk()
    deadline = time.monotonic() + 60
    open_states = ("staged", "handing_over")
    while time.monotonic() < deadline and (
        not Delivery.objects.exists() or Delivery.objects.filter(state__in=open_states).exists()
    ):
        time.sleep(0.2)

    counts = line.counts()
    rows = dict(Delivery.objects.values_list("registrant__address", "state"))
    assert len(rows) == READERS + 1
    assert set(rows.values()) <= {"sent", "unknown"}
    assert max(counts.values()) == 1
    assert {address for address, state in rows.items() if state == "sent"} <= set(counts)
    unknown = [address for address, state in rows.items() if state == "unknown"]
    print(f"{KILLS} kills: {len(rows)} deliveries, {len(unknown)} unknown")
    assert len(unknown) <= KILLS * CONNECTIONS * 2
    assert set(counts) <= set(rows)
