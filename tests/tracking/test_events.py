"""Events: noted once, and only what the reader allows at that moment."""

import time

import pytest
import redis
from django.db import connection

from newsletter import approving, staging
from newsletter.models import Delivery, Link
from registrants import consent
from registrants.consent import Hand, Means
from registrants.models.wording import Purpose
from tests.cast import Cast, measured
from tracking import events, stream
from tracking.models import Event


@pytest.fixture
def delivery(cast: Cast, valkey: redis.Redis) -> Delivery:
    measured(cast.ada)
    campaign = cast.campaign()
    approving.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    Delivery.objects.update(state="sent", opens=True, clicks=True)
    return Delivery.objects.get()


def hit(valkey: redis.Redis, kind: str, delivery: int, link: int = 0, key: str = "") -> None:
    at = int(time.time() * 1000)
    fields = {"k": key or stream.key(), "e": kind, "d": delivery, "l": link, "t": at}
    valkey.xadd(stream.NAME, fields)  # type: ignore[arg-type]


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def test_opens_and_clicks_become_events(delivery: Delivery, valkey: redis.Redis) -> None:
    hit(valkey, "opened", delivery.pk)
    hit(valkey, "clicked", delivery.pk, Link.objects.get().pk)
    assert events.drain() == 2
    assert kinds() == ["opened", "clicked"]
    assert valkey.xlen(stream.NAME) == 0
    assert events.drain() == 0


def test_the_same_hit_twice_is_noted_once(delivery: Delivery, valkey: redis.Redis) -> None:
    """B-8: also when the stream was not emptied after a crash."""
    key = stream.key()
    hit(valkey, "opened", delivery.pk, key=key)
    events.drain()
    hit(valkey, "opened", delivery.pk, key=key)
    events.drain()
    assert kinds() == ["opened"]


def test_a_denial_stops_recording_for_mail_already_sent(
    cast: Cast, delivery: Delivery, valkey: redis.Redis
) -> None:
    """L-45."""
    hit(valkey, "opened", delivery.pk)
    consent.refuse_tracking(
        registrant=cast.ada, purpose=Purpose.OPENS, hand=Hand(means=Means.PREFERENCES)
    )
    assert events.drain() == 1
    assert kinds() == []
    hit(valkey, "clicked", delivery.pk, Link.objects.get().pk)
    events.drain()
    assert kinds() == ["clicked"]


def test_what_went_out_unmeasured_is_never_recorded(
    delivery: Delivery, valkey: redis.Redis
) -> None:
    Delivery.objects.update(opens=False)
    hit(valkey, "opened", delivery.pk)
    hit(valkey, "opened", 999_999)
    events.drain()
    assert kinds() == []


def test_a_link_of_another_mailing_is_not_recorded(
    cast: Cast, delivery: Delivery, valkey: redis.Redis
) -> None:
    other = Link.objects.create(mailing=cast.campaign(), position=0, url="https://x.example.org/")
    hit(valkey, "clicked", delivery.pk, other.pk)
    events.drain()
    assert kinds() == []


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_written_stays_in_the_stream(
    delivery: Delivery, valkey: redis.Redis
) -> None:
    hit(valkey, "opened", delivery.pk)

    def gone(execute: object, sql: str, *words: object) -> None:
        if "INSERT INTO tracking_event" in sql:
            raise RuntimeError("killed here")
        return execute(sql, *words)  # type: ignore[operator]

    with connection.execute_wrapper(gone), pytest.raises(RuntimeError):
        events.drain()
    assert valkey.xlen(stream.NAME) == 1
    events.drain()
    assert kinds() == ["opened"]


def test_an_unsubscribe_is_noted_for_its_mailing_once(cast: Cast, delivery: Delivery) -> None:
    for _ in range(2):
        events.note(
            kind="unsubscribed", mailing=delivery.mailing_id or 0, registrant=cast.ada.pk
        )
    assert kinds() == ["unsubscribed"]


def test_keys_are_ordered_by_time_and_are_version_7() -> None:
    import uuid

    first = stream.key()
    time.sleep(0.003)
    second = stream.key()
    assert first < second
    assert uuid.UUID(first).version == 7
