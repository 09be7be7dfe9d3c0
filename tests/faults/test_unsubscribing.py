"""Unsubscribing while a campaign is running: nothing later than two seconds after the answer."""

import random
import time
from http.client import HTTPConnection

import pytest

from newsletter import approving, links
from newsletter.models import Campaign, Delivery
from registrants.models import Subscription
from tests.cast import Cast
from tests.faults.conftest import add_readers
from tests.faults.workers import Line, wait_until

pytestmark = pytest.mark.xdist_group("faults")

READERS, LEAVING, PACE = 20_000, 300, 2_000.0


def test_nothing_comes_later_than_two_seconds_after_the_answer(line: Line, cast: Cast) -> None:
    """AT-U4, AT-C7, U-23, design.md §5."""
    add_readers(cast, READERS)
    line.start_mail(PACE)
    line.start_workers()
    web = HTTPConnection("127.0.0.1", line.start_web(), timeout=10)
    readers = Subscription.objects.filter(
        mailing_list=cast.mailing_list, registrant__address__startswith="reader"
    )
    subscriptions = dict(readers.values_list("registrant__address", "pk"))
    chosen = random.Random().sample(sorted(subscriptions), LEAVING)
    campaign = cast.campaign()
    approving.send_now(mailing=campaign, staff=None)
    answered: dict[str, float] = {}
    for number, address in enumerate(chosen):  # spread evenly over the whole campaign
        due = (READERS - 2 * LEAVING) * number / LEAVING
        wait_until(lambda due=due: line.count() >= due, 30, line.logs)  # type: ignore[misc]
        leaving = [address, *(being_handed_over(campaign) if number % 5 == 0 else ())]
        for each in leaving:
            path = links.one_click("", subscriptions[each], campaign.pk)
            if each not in answered:
                answered[each] = leave(web, path)
    line.wait_for(campaign, "sent", patience=30)
    web.close()

    accepted = {each.recipient: each.at for each in line.seen() if each.what == "accepted"}
    counts = line.accepted()
    after = {who: accepted[who] - at for who, at in answered.items() if who in accepted}
    reached = [seconds for seconds in after.values() if seconds <= 0]
    crossed = [seconds for seconds in after.values() if seconds > 0]
    spared = set(answered) - set(accepted)
    rate = len(accepted) / (max(accepted.values()) - min(accepted.values()))
    print(
        f"{rate:.0f}/s; {len(answered)} left: {len(reached)} had it, {len(spared)} were spared,"
        f" {len(crossed)} crossed it, latest {max(crossed, default=0):.2f} s after the answer"
    )
    assert {who: seconds for who, seconds in after.items() if seconds > 2} == {}
    assert len(answered) >= LEAVING
    assert len(reached) > LEAVING / 5, "too few left after their mail: this was no race"
    assert len(spared) > LEAVING / 5, "too few left before their mail: this was no race"
    assert set(counts.values()) == {1}
    stayed = {*subscriptions, cast.ada.address} - set(answered)
    assert stayed <= set(counts)
    ended = Delivery.objects.filter(mailing=campaign, state="refused", refusal="ended").count()
    campaign.refresh_from_db()
    assert ended + campaign.left_out.get("ended", 0) >= len(spared)


def leave(web: HTTPConnection, path: str) -> float:
    """Unsubscribe with one click, as a mail program does; return when it was answered."""
    said = {"Content-Type": "application/x-www-form-urlencoded"}
    web.request("POST", path, "List-Unsubscribe=One-Click", said)
    answer = web.getresponse()
    answer.read()
    assert answer.status == 200
    return time.time()


def being_handed_over(campaign: Campaign) -> list[str]:
    """Return somebody whose mail is about to leave at this moment: the closest race there is."""
    rows = Delivery.objects.filter(mailing=campaign, state="handing_over")
    found = rows.filter(registrant__address__startswith="reader").order_by("-pk")
    return list(found.values_list("registrant__address", flat=True)[:1])
