"""A sender that warms up sends so many a day and no more, whatever becomes of Redis."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.utils.timezone import now

from newsletter import pace
from newsletter.models import Delivery, Lease, Mailing, Sender
from newsletter.pace import limits
from newsletter.senders import warm_up
from tests.cast import Cast
from tests.newsletter.pace.pacing import REST, answered, as_a_new_process, go

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def fresh(valkey: redis.Redis) -> Iterator[None]:
    """Begin and leave as a new process."""
    as_a_new_process()
    yield
    as_a_new_process()


@pytest.fixture
def sender(cast: Cast) -> Sender:
    """Return a sender on its first day: 100 mails."""
    cast.sender.warm_up_on = now().date()
    cast.sender.warm_up_first = 100
    cast.sender.save()
    return cast.sender


PLAN: dict[str, Any] = {"on": TODAY, "first": 500, "growth": 50, "until": 2000}


def plan(**changes: Any) -> warm_up.Plan:
    """Return a plan that begins today."""
    return warm_up.Plan(**(PLAN | changes))


def test_the_ceiling_grows_each_day_until_the_plan_is_over() -> None:
    """500, half as many more each day, over where it would be 2,000."""
    assert [ceiling for _, ceiling in plan().days()] == [500, 750, 1125, 1687]
    assert plan().ceiling(TODAY - timedelta(days=1)) is None
    assert plan().ceiling(TODAY + timedelta(days=4)) is None


def test_a_plan_that_hardly_grows_ends_within_a_year() -> None:
    """No plan holds a sender for ever."""
    assert len(plan(growth=1, until=10**9).days()) == warm_up.LONGEST_DAYS


def test_a_sender_without_a_plan_has_no_ceiling() -> None:
    """Nor one after it."""
    assert warm_up.ceiling(Sender(warm_up_on=None), TODAY) is None
    assert warm_up.ceiling(Sender(warm_up_on=TODAY), TODAY) == 500


def test_campaigns_stop_at_the_ceiling_and_go_on_the_next_day(sender: Sender) -> None:
    """P-7: with words; letters and notices count and are not held."""
    admission = pace.admit(sender, {REST: 80}, kind="campaign")[REST]
    assert admission.go == 80
    assert go(sender, {REST: 15}, "notice") == {REST: 15}
    last_admission = pace.admit(sender, {REST: 50}, kind="campaign")[REST]
    assert last_admission.go == 5
    assert last_admission.words == "held back: warm-up, 100 a day"
    midnight = datetime.combine(now().date() + timedelta(days=1), datetime.min.time(), UTC)
    assert last_admission.wait == pytest.approx((midnight - now()).total_seconds(), abs=5)
    assert go(sender, {REST: 5}, "letter") == {REST: 5}
    reading = pace.snapshots([sender.pk])[sender.pk]
    assert (reading.warm_up_count, reading.warm_up_ceiling) == (105, 100)


def test_what_was_not_taken_does_not_count(sender: Sender) -> None:
    """Deferred, failed and unsent mails use nothing up; unknown ones may have arrived."""
    go(sender, {REST: 100})
    pace.record(
        sender,
        [
            *answered(REST, "sent", 60),
            *answered(REST, "unknown", 10),
            *answered(REST, "deferred", 10),
            *answered(REST, "unsent", 20),
        ],
    )
    assert go(sender, {REST: 100}) == {REST: 30}


def test_a_lost_count_is_read_from_the_ledger(
    cast: Cast, sender: Sender, valkey: redis.Redis
) -> None:
    """Once, in one statement; yesterday's mails are not among them."""
    assert go(sender, {REST: 90}) == {REST: 90}
    of_today(cast, sender)
    valkey.flushdb()
    assert go(sender, {REST: 200}) == {REST: 98}
    assert go(sender, {REST: 200}) == {REST: 0}


def of_today(cast: Cast, sender: Sender) -> None:
    """Put into the ledger: two sent and one failed today, one sent yesterday."""
    mailing = cast.campaign(state=Mailing.State.SENDING, staged=4, started_at=now())
    ended = [("sent", 0), ("unknown", 0), ("failed", 0), ("sent", 1)]
    people = [cast.ada, cast.ben, cast.cleo, cast.dov]
    made = [
        Delivery.objects.create(
            mailing=mailing,
            registrant=person,
            state=state,
            settled_at=now() - timedelta(days=days),
        )
        for person, (state, days) in zip(people, ended, strict=True)
    ]
    Lease.objects.create(
        lane="campaigns", mailing=mailing, first=made[0].pk, last=made[-1].pk, size=4
    )


def test_the_day_is_the_clients_and_the_clock_is_redis_own(cast: Cast, sender: Sender) -> None:
    """A worker whose clock is five minutes ahead begins no day before the others (AT-C8)."""
    cast.client.time_zone = zone_where_midnight_is_near()
    cast.client.save()
    sender.warm_up_on = now().date() - timedelta(days=1)
    sender.save()
    days = limits.of(sender.pk).days
    with time_machine.travel(now() + timedelta(minutes=5)):
        limits.forget()
        ahead = limits.of(sender.pk).days
    assert {day[1] for day in days} & {day[1] for day in ahead} >= {days[1][1], days[2][1]}
    assert go(sender, {REST: 1000})[REST] in (100, 150, 225)
    assert go(sender, {REST: 1000})[REST] == 0


def zone_where_midnight_is_near() -> str:
    """Return a time zone on whose clock it is between eleven and midnight."""
    behind = (now().hour - 23) % 24
    return f"Etc/GMT+{behind}" if behind <= 12 else f"Etc/GMT-{24 - behind}"
