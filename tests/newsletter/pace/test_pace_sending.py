"""A limited campaign on a real wire: at its rate, nobody twice, no try lost by waiting.

Mirrors several: newsletter/pace, newsletter/delivery/worker.py.
"""

import time
from collections.abc import Iterator

import pytest
import redis

from newsletter import pace
from newsletter.delivery import staging, worker
from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Mailing, Receiver
from newsletter.pace import limits, memory
from newsletter.receivers import lookup
from tests.cast import Cast, make_crowd
from tests.newsletter.pace.pacing import limited
from tests.scripted_smtp import Moment, ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh(valkey: redis.Redis) -> Iterator[None]:
    """Begin and leave as a new process."""
    for forget in (memory.forget, limits.forget, lookup.forget):
        forget()
    yield
    for forget in (memory.forget, limits.forget, lookup.forget):
        forget()


def under_way(cast: Cast, addresses: list[str]) -> Mailing:
    """Return a staged campaign to so many confirmed readers, and to Ada."""
    make_crowd(cast.mailing_list, addresses)
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    return campaign


def serve_for(seconds: float) -> float:
    """Work as the timetable has it, each second afresh; return how long it took."""
    began = time.monotonic()
    while (left := began + seconds - time.monotonic()) > 0:
        worker.serve(lanes=("campaigns",), seconds=left)
        time.sleep(0.05)
    return time.monotonic() - began


def test_a_limited_campaign_leaves_at_its_rate(cast: Cast, smtp: ScriptedSmtp) -> None:
    """What cannot go yet mostly stays where it is, instead of being held over and over."""
    limited(cast.sender, per_second=20)
    campaign = under_way(cast, [f"reader{number}@example.net" for number in range(199)])
    spent = serve_for(4)
    assert 20 * 4 * 0.8 <= len(smtp.delivered) <= 20 * spent + 22
    spent += serve_for(4.5)
    held_back = pace.snapshots([cast.sender.pk])[cast.sender.pk].held
    assert set(smtp.delivered.values()) == {1}
    assert 20 * 8 * 0.8 <= len(smtp.delivered) <= 20 * spent + 22
    assert held_back < 150 * 2
    sent = Delivery.objects.filter(mailing=campaign, state="sent")
    assert set(sent.values_list("tries", flat=True)) == {1}


def test_a_receiver_that_asks_for_it_is_left_alone_and_the_others_are_not(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    """AT-P1, its first minute: one refusal stops Gmail, and everybody else gets theirs."""

    def script(moment: Moment) -> bytes | None:
        if moment.step == "RCPT" and "@gmail.com" in moment.line:
            return b"421 4.7.28 Gmail has detected an unusual rate of mail\r\n"
        return None

    smtp.script = script
    people = [f"r{number}@{name}" for number in range(30) for name in ("gmail.com", "example.net")]
    campaign = under_way(cast, people)
    serve_for(3)
    reading = pace.snapshots([cast.sender.pk])[cast.sender.pk]
    assert [receiver.receiver for receiver in reading.receivers if receiver.stopped_until] == [
        Receiver.GMAIL
    ]
    assert len(smtp.delivered) == 31 and not any(
        "@gmail.com" in address for address in smtp.delivered
    )
    waiting = Delivery.objects.filter(mailing=campaign).exclude(state="sent")
    assert set(waiting.values_list("state", flat=True)) == {"deferred"}
