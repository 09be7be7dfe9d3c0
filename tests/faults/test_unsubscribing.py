"""Unsubscribing while a campaign is running: nothing later than two seconds after the answer."""

import random
import time

from django.test import Client as Reader

from newsletter import approving, links
from newsletter.models import Delivery
from registrants.models import Subscription
from tests.cast import Cast
from tests.faults.conftest import Line, add_readers

READERS, LEAVING, PACE = 20_000, 300, 1_500.0


def test_nothing_comes_later_than_two_seconds_after_the_answer(line: Line, cast: Cast) -> None:
    """AT-U4, AT-C7, design.md §5."""
    add_readers(cast, READERS)
    line.start_mail(PACE)
    line.start_workers()
    time.sleep(4)
    campaign = cast.campaign()
    leaving = random.Random(7).sample(
        list(
            Subscription.objects.filter(
                mailing_list=cast.mailing_list, registrant__address__startswith="reader"
            ).values_list("pk", "registrant__address")
        ),
        LEAVING,
    )
    approving.send_now(mailing=campaign, staff=None)
    answered: dict[str, float] = {}
    reader = Reader()
    for subscription, address in leaving:
        url = links.one_click("", subscription, campaign.pk)
        answer = reader.post(
            url, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 200
        answered[address] = time.time()
        time.sleep(0.03)
    line.wait_for(campaign, "sent", patience=60)

    accepted = {address: at for at, address in line.accepted()}
    late = {
        address: accepted[address] - at
        for address, at in answered.items()
        if accepted.get(address, 0) > at + 2
    }
    assert late == {}
    counts = line.counts()
    assert max(counts.values()) == 1
    stayed = READERS + 1 - LEAVING  # Ada is on the list too
    assert sum(1 for address in counts if address not in answered) == stayed
    spared = [address for address in answered if address not in counts]
    reached = [address for address in answered if address in counts]
    after = max((accepted.get(who, 0) - at for who, at in answered.items()), default=0.0)
    print(f"{len(spared)} spared, {len(reached)} reached, latest {after:.2f} s after the answer")
    assert len(spared) > 20, "nobody left before their mail went: this was no race"
    assert len(reached) > 20, "nobody left after their mail went: this was no race"
    refused = Delivery.objects.filter(mailing=campaign, state="refused", refusal="ended").count()
    assert refused + campaign_left_out(campaign.pk) >= len(spared)


def campaign_left_out(mailing: int) -> int:
    """Return how many had left before the audience was frozen."""
    from newsletter.models import Mailing

    return int(Mailing.objects.get(pk=mailing).left_out.get("ended", 0))
