"""The demo shows a campaign that went out and what came back, and keeps away from real data."""

import pytest

from local import demo
from newsletter.models import Campaign, Delivery, Lease, Mailing
from registrants.models import Client
from tests.cast import Cast
from tracking.models import Event

pytestmark = pytest.mark.django_db


def test_the_demos_campaign_was_sent_and_read() -> None:
    assert demo.fill()
    assert Client.objects.count() == 2
    campaign = Campaign.objects.get(state=Mailing.State.SENT)
    states = set(Delivery.objects.filter(mailing=campaign).values_list("state", flat=True))
    assert states == {"sent", "failed"}
    sent = Delivery.objects.filter(mailing=campaign, state="sent")
    assert sum(Lease.objects.filter(mailing=campaign).values_list("sent", flat=True)) == len(sent)
    assert not Lease.objects.filter(mailing=campaign, closed_at=None).exists()
    kinds = set(Event.objects.filter(mailing=campaign).values_list("kind", flat=True))
    assert {"opened", "clicked", "unsubscribed"} <= kinds


def test_a_database_with_a_client_is_left_alone(cast: Cast) -> None:
    assert not demo.fill()
    assert list(Client.objects.all()) == [cast.client]
