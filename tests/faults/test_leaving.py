"""People leave while a campaign is running: nothing later than two seconds after the answer."""

import random
import time
from collections.abc import Callable, Iterable
from http.client import HTTPConnection
from math import ceil

import pytest
from django.db import transaction

from newsletter.mailings import lifecycle
from newsletter.models import Campaign, Delivery
from registrants import privacy, suppression
from registrants.models import Registrant, Subscription, Suppression
from tests import mail_links
from tests.cast import Cast
from tests.faults.books import Keeper
from tests.faults.conftest import add_readers
from tests.faults.mail import MailServer
from tests.faults.patience import TIME_LIMIT, lasting, wait_until, wait_until_more
from tests.faults.table import Note
from tests.faults.workers import Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

Way = Callable[[Registrant], None]
"""One of the ways to leave; it returns when it has been answered."""


def by_one_click(web: HTTPConnection, campaign: Campaign) -> Way:
    """Unsubscribe as a mail program does, by the real web server."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    def leave(who: Registrant) -> None:
        subscription = Subscription.objects.get(registrant=who)
        path = mail_links.one_click("", subscription.pk, campaign.pk)
        web.request("POST", path, "List-Unsubscribe=One-Click", headers)
        answer = web.getresponse()
        answer.read()
        assert answer.status == 200

    return leave


def by_suppression(who: Registrant) -> None:
    """Say "never mail me"."""
    with transaction.atomic():
        suppression.suppress(
            address=who.address, reason=Suppression.Reason.NEVER_MAIL, client=who.client
        )


def by_erasure(who: Registrant) -> None:
    """Be erased."""
    with transaction.atomic():
        privacy.erase(registrant=who)


def leave_at_random(
    line: Line, keeper: Keeper[MailServer], ways: list[Way], *, many: int, patience: float
) -> dict[str, float]:
    """Have people leave, spread evenly over a campaign; return when each was answered.

    Each fifth time somebody leaves whose mail is just being handed over: the closest race there is.
    """
    chosen = random.Random().sample(
        [pk for pk, who in keeper.people.items() if who.startswith("reader")], many
    )
    answered: dict[str, float] = {}
    last = len(keeper.people) * 0.85
    for number, pk in enumerate(chosen):
        due = max(1, last * number / many)  # the first only once all are staged
        wait_until_more(line.mail.count, ceil(due) - 1, patience, line.logs)
        for person in [pk, *(being_handed_over(keeper, "-pk", 1) if number % 5 == 0 else ())]:
            if (address := keeper.people[person]) not in answered:
                ways[len(answered) % len(ways)](Registrant.objects.get(pk=person))
                answered[address] = time.time()
    return answered


def being_handed_over(keeper: Keeper[MailServer], order: str, most: int) -> Iterable[int]:
    """Return some whose mail is about to leave at this moment."""
    rows = Delivery.objects.filter(mailing=keeper.mailing, state="handing_over")
    readers = rows.filter(registrant__address__startswith="reader").order_by(order)
    return list(readers.values_list("registrant_id", flat=True)[:most])


def test_nothing_comes_later_than_two_seconds_after_the_answer(
    line: Line, cast: Cast, note: Note
) -> None:
    """AT-U4, AT-C7, U-23 (docs/architecture.md, "The gate"): by whatever door, whenever."""
    many = lasting(150, 1_000)
    add_readers(cast, many * lasting(50, 20))
    line.start_mail(per_second=1_000)  # at twice that a busy machine leaves nobody ahead of it
    line.start_workers()
    web = HTTPConnection("127.0.0.1", line.start_web(), timeout=10)
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    ways = [by_one_click(web, campaign), by_suppression, by_erasure]
    lifecycle.send_now(mailing=campaign, staff=None)
    answered = leave_at_random(line, keeper, ways, many=many, patience=60)
    line.wait_until_nothing_goes(campaign, patience=60)
    web.close()

    books = keeper.books()
    accepted = line.mail.at("accepted")
    after = {who: accepted[who] - at for who, at in answered.items() if who in accepted}
    crossed = [seconds for seconds in after.values() if seconds > 0]
    spared = set(answered) - set(accepted)
    print(
        f"{len(answered)} left: {len(after) - len(crossed)} had it, {len(spared)} were spared,"
        f" {len(crossed)} crossed it, latest {max(crossed, default=0):.2f} s after the answer"
    )
    note("unsubscribed, suppressed, erased while it goes", times=len(answered), **books.row())
    assert {who: seconds for who, seconds in after.items() if seconds > 2} == {}
    assert len(after) > len(crossed) + many / 5, "too few left after their mail: no race"
    assert len(spared) > many / 5, "too few left before their mail: no race"
    assert books.wrong == {}
    assert books.of("sent") == set(books.accepted) >= set(books.expected) - set(answered)
    assert books.of("refused") <= spared


@pytest.mark.parametrize("pace", lasting([0.7], [0.7, 3.0]))
def test_a_slow_server_is_no_excuse(line: Line, cast: Cast, note: Note, pace: float) -> None:
    """No body goes out later than two seconds after the answer, however long the server thinks."""
    add_readers(cast, 200)
    line.start_mail(per_second=pace)
    line.start_workers()
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    lifecycle.send_now(mailing=campaign, staff=None)
    wait_until(lambda: line.mail.count() > 0, 20, line.logs)
    answered: dict[str, float] = {}
    until = time.monotonic() + lasting(7, 30)
    while time.monotonic() < until:
        begun = line.mail.at("begun")
        for person in being_handed_over(keeper, "pk", 12):
            if (address := keeper.people[person]) not in {*begun, *answered}:
                by_suppression(Registrant.objects.get(pk=person))
                answered[address] = time.time()
        time.sleep(0.02)
    line.mail.ask("XPACE 0")
    line.wait_until_nothing_goes(campaign, patience=30)
    books, read = keeper.books(), line.mail.at("read")
    late = {who: read[who] - at for who, at in answered.items() if who in read}
    note(f"suppressed at {pace} mails/s", times=len(answered), **books.row())
    print(f"{len(answered)} left while handed over, latest {max(late.values(), default=0):.2f} s")
    assert len(answered) > 3, "nobody left in time: nothing was shown"
    assert {who: seconds for who, seconds in late.items() if seconds > 2} == {}
    assert books.wrong == {}
