"""How far it has come: counts, the present rate from the page's own looks, and the time left."""

from datetime import timedelta

import pytest
import time_machine
from django.utils.timezone import now

from newsletter.models import Lease, Mailing
from newsletter.monitoring.progress import progress
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def under_way(cast: Cast, *, total: int = 10_000) -> Mailing:
    return cast.campaign(state="sending", staged=total, started_at=now() - timedelta(minutes=2))


def at(mailing: Mailing, *, sent: int, unknown: int = 0, deferred: int = 0) -> None:
    Lease.objects.filter(mailing=mailing).delete()
    Lease.objects.create(
        lane="campaigns", mailing=mailing, first=1, last=10_000, size=10_000,
        sent=sent, unknown=unknown, deferred=deferred,
    )  # fmt: skip


def test_the_rate_is_that_of_the_last_ten_seconds(cast: Cast) -> None:
    campaign, looks = under_way(cast), ""
    with time_machine.travel(now().replace(microsecond=0), tick=False) as clock:
        for second in range(30):
            at(campaign, sent=100 * second if second < 15 else 1500 + 20 * (second - 15))
            reading = progress(campaign, earlier=looks)
            looks = reading.samples
            clock.shift(1)
    assert reading.per_second == pytest.approx(20, rel=0.01)
    assert reading.seconds_left == pytest.approx((10_000 - reading.sent) / 20, rel=0.01)
    assert reading.left == "about 7 min left"


def test_the_unknown_and_the_deferred_are_not_waited_for(cast: Cast) -> None:
    campaign = under_way(cast, total=100)
    at(campaign, sent=90, unknown=4, deferred=6)
    reading = progress(campaign)
    assert reading.seconds_left == 0
    assert reading.open == 10
    assert reading.percent == 90


@pytest.mark.parametrize("samples", ["", "x", "1:2:3", ",,,", "9e9:1", "-1:5", "1" * 5000, "٣:٣"])
def test_looks_nobody_took_are_left_out(cast: Cast, samples: str) -> None:
    campaign = under_way(cast)
    at(campaign, sent=50)
    reading = progress(campaign, earlier=samples)
    assert reading.samples.count(":") == 1
    assert reading.per_second == 0


def test_a_rate_that_falls_below_nothing_is_nothing(cast: Cast) -> None:
    """What is sent again makes the count go down."""
    campaign = under_way(cast)
    with time_machine.travel(now().replace(microsecond=0), tick=False) as clock:
        at(campaign, sent=500)
        looks = progress(campaign).samples
        clock.shift(5)
        at(campaign, sent=100)
        assert progress(campaign, earlier=looks).per_second == 0


@pytest.mark.parametrize(
    ("rate", "time_left"),
    [(1_000, "less than a minute left"), (50, "about 3 min left"), (1, "about 2 h 47 min left")],
)
def test_the_time_left_is_said_in_words(cast: Cast, rate: int, time_left: str) -> None:
    campaign = under_way(cast, total=20_000)
    with time_machine.travel(now().replace(microsecond=0), tick=False) as clock:
        at(campaign, sent=10_000 - 10 * rate)
        looks = progress(campaign).samples
        clock.shift(10)
        at(campaign, sent=10_000)
        reading = progress(campaign, earlier=looks)
    assert reading.left == time_left
