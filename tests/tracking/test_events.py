"""Events: noted once, and only what the reader allows at that moment."""

import time
from collections import Counter
from typing import Any

import pytest
import redis
from django.db import connection
from django.utils.timezone import now

from newsletter.models import Delivery, Link, SetAside
from registrants import consent, privacy
from registrants.consent import Means
from registrants.models import Choice, Registrant
from registrants.models.wording import Purpose
from registrants.provenance import Provenance
from tests.cast import Cast
from tracking import events, tasks
from tracking.intake import hits
from tracking.models import Event
from tracking.reporting import totals


def hit(valkey: redis.Redis, *packed: bytes) -> None:
    """Put one group of hits on the stream."""
    valkey.xadd(hits.STREAM, {hits.FIELD: b"".join(packed)})


def kinds() -> list[str]:
    """Return what was noted."""
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def test_opens_and_clicks_become_events(
    delivery: Delivery, link: Link, valkey: redis.Redis
) -> None:
    hit(valkey, hits.pack(hits.OPENED, delivery.pk), hits.pack(hits.CLICKED, delivery.pk, link.pk))
    assert events.drain() == 2
    clicked, opened = Event.objects.order_by("kind")
    assert (opened.kind, opened.delivery_id, opened.link_id) == ("opened", delivery.pk, None)
    assert (clicked.kind, clicked.link_id) == ("clicked", link.pk)
    assert clicked.mailing_id == delivery.mailing_id
    assert abs(clicked.at.timestamp() - time.time()) < 5
    assert valkey.xlen(hits.STREAM) == 0
    assert events.drain() == 0


def test_the_same_hit_twice_is_noted_once(delivery: Delivery, valkey: redis.Redis) -> None:
    """B-8: also when it was written twice, or stayed after a crash."""
    one = hits.pack(hits.OPENED, delivery.pk)
    hit(valkey, one)
    events.drain()
    hit(valkey, one, one)
    events.drain()
    assert kinds() == ["opened"]


@pytest.mark.parametrize("at_once", [200, 40])
def test_a_picture_loaded_all_day_is_kept_fifty_times(
    delivery: Delivery, link: Link, valkey: redis.Redis, at_once: int
) -> None:
    """S-3: in one drain or in several; each link has fifty of its own, and sums count the rows."""
    assert delivery.mailing is not None
    other = Link.objects.create(mailing=delivery.mailing, position=7, url="https://example.org/7")
    for _ in range(200 // at_once):
        hit(valkey, *(hits.pack(hits.OPENED, delivery.pk) for _ in range(at_once)))
        hit(valkey, *(hits.pack(hits.CLICKED, delivery.pk, link.pk) for _ in range(at_once)))
        events.drain()
    hit(valkey, hits.pack(hits.CLICKED, delivery.pk, other.pk))
    events.drain()
    counts = Counter(Event.objects.values_list("kind", "link"))
    assert counts == {("opened", None): 50, ("clicked", link.pk): 50, ("clicked", other.pk): 1}
    assert totals.reaction(delivery.mailing).clicked_times == 51
    assert totals.reaction(delivery.mailing).opened_times == 50


def test_a_crash_after_the_commit_notes_nothing_twice(
    delivery: Delivery, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-8: the entry is still in the stream, its hits are known by their keys."""

    def crash(*arguments: Any) -> None:
        raise KeyboardInterrupt

    hit(valkey, hits.pack(hits.OPENED, delivery.pk))
    with monkeypatch.context() as broken:
        broken.setattr(redis.Redis, "xdel", crash)
        with pytest.raises(KeyboardInterrupt):
            events.drain()
    assert (kinds(), valkey.xlen(hits.STREAM)) == (["opened"], 1)
    events.drain()
    assert (kinds(), valkey.xlen(hits.STREAM)) == (["opened"], 0)


def test_what_cannot_be_noted_stays_in_the_stream(delivery: Delivery, valkey: redis.Redis) -> None:
    def crash(execute: Any, sql: str, *parameters: Any) -> Any:
        if "INSERT INTO tracking_event" in sql:
            raise KeyboardInterrupt("killed here")
        return execute(sql, *parameters)

    hit(valkey, hits.pack(hits.OPENED, delivery.pk))
    with connection.execute_wrapper(crash), pytest.raises(KeyboardInterrupt):
        events.drain()
    assert valkey.xlen(hits.STREAM) == 1
    events.drain()
    assert kinds() == ["opened"]


def odd_hit(delivery: Delivery, number: int = 0) -> bytes:
    """Return a hit of a time no database knows."""
    key = (7 << 64 | number).to_bytes(16, "big")
    return hits.packed(hits.Hit(key, hits.OPENED, delivery.pk, 0, 2**62))


def test_a_hit_that_cannot_be_noted_takes_no_other_along(
    delivery: Delivery, link: Link, valkey: redis.Redis
) -> None:
    others = [hits.pack(hits.CLICKED, delivery.pk, link.pk) for _ in range(20)]
    hit(valkey, *others[:7], odd_hit(delivery), *others[7:])
    hit(valkey, hits.pack(hits.OPENED, delivery.pk))
    events.drain_for(1)
    assert Counter(kinds()) == {"clicked": 20, "opened": 1}
    assert (valkey.xlen(hits.STREAM), valkey.xlen(events.ASIDE)) == (0, 1)
    row = SetAside.objects.get()
    assert (row.step, row.times) == ("drain", 1)
    assert "1 opens or clicks cannot be noted (DataError)" in row.reason
    SetAside.objects.update(due_at=now())
    events.drain_for(1)
    assert SetAside.objects.get().times == 2, "it is tried again"
    assert valkey.xlen(events.ASIDE) == 1


def test_what_was_kept_aside_is_noted_once_it_can_be(
    delivery: Delivery, valkey: redis.Redis
) -> None:
    def fails(execute: Any, sql: str, *parameters: Any) -> Any:
        if "INSERT INTO tracking_event" in sql:
            raise RuntimeError("unforeseen")
        return execute(sql, *parameters)

    hit(valkey, hits.pack(hits.OPENED, delivery.pk))
    with connection.execute_wrapper(fails):
        events.drain_for(1)
    assert kinds() == []
    SetAside.objects.update(due_at=now())
    events.drain_for(1)
    assert kinds() == ["opened"]
    assert valkey.xlen(events.ASIDE) == 0
    assert not SetAside.objects.exists()


def test_where_nothing_can_be_noted_it_stays_in_the_stream_and_is_told(
    delivery: Delivery, valkey: redis.Redis
) -> None:
    hit(valkey, *(odd_hit(delivery, number) for number in range(60)))
    events.drain_for(1)
    assert (valkey.xlen(hits.STREAM), valkey.xlen(events.ASIDE)) == (1, 0)
    row = SetAside.objects.get()
    assert row.number is None
    events.drain_for(1)
    assert SetAside.objects.get().times == 1, "not before its time"


@pytest.mark.django_db(transaction=True)
def test_two_who_drain_at_once_do_not_wait_for_each_other(
    delivery: Delivery, valkey: redis.Redis
) -> None:
    from django.db import connections

    hit(valkey, hits.pack(hits.OPENED, delivery.pk))
    other = connections["default"].copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [events.ONE_AT_A_TIME])
            assert events.drain() == 0
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()
    assert events.drain() == 1


@pytest.mark.parametrize(
    ("purpose", "left"), [(Purpose.OPENS, ["clicked"]), (Purpose.CLICKS, ["opened"])]
)
def test_a_denial_stops_recording_for_mail_already_sent(
    cast: Cast,
    delivery: Delivery,
    link: Link,
    valkey: redis.Redis,
    purpose: Purpose,
    left: list[str],
) -> None:
    """L-45: also for what was on its way when the reader denied it."""
    hit(valkey, hits.pack(hits.OPENED, delivery.pk), hits.pack(hits.CLICKED, delivery.pk, link.pk))
    consent.refuse_tracking(
        registrant=cast.ada, purpose=purpose, provenance=Provenance(means=Means.PREFERENCES)
    )
    assert events.drain() == 2
    assert kinds() == left


def test_nothing_is_noted_of_a_person_who_never_said_yes(
    cast: Cast, delivery: Delivery, link: Link, valkey: redis.Redis
) -> None:
    Registrant.objects.update(opens=Choice.UNKNOWN, clicks=Choice.UNKNOWN)
    hit(valkey, hits.pack(hits.OPENED, delivery.pk), hits.pack(hits.CLICKED, delivery.pk, link.pk))
    events.drain()
    assert kinds() == []


def test_nothing_is_noted_of_an_erased_or_restricted_person(
    cast: Cast, delivery: Delivery, valkey: redis.Redis
) -> None:
    Registrant.objects.filter(pk=cast.ada.pk).update(restricted_at=now())
    hit(valkey, hits.pack(hits.OPENED, delivery.pk))
    events.drain()
    privacy.erase(registrant=cast.ada)
    Registrant.objects.filter(pk=cast.ada.pk).update(restricted_at=None)
    hit(valkey, hits.pack(hits.OPENED, delivery.pk))
    events.drain()
    assert kinds() == []


def test_what_went_out_unmeasured_is_never_noted(
    delivery: Delivery, link: Link, valkey: redis.Redis
) -> None:
    """L-44: a guessed or forwarded token of an untracked mail included."""
    Delivery.objects.update(opens=False, clicks=False)
    hit(valkey, hits.pack(hits.OPENED, delivery.pk), hits.pack(hits.CLICKED, delivery.pk, link.pk))
    events.drain()
    assert kinds() == []


def test_unknown_numbers_are_dropped(
    cast: Cast, delivery: Delivery, link: Link, valkey: redis.Redis
) -> None:
    other = Link.objects.create(mailing=cast.campaign(), position=0, url="https://x.example.org/")
    hit(valkey, hits.pack(hits.OPENED, 999_999), hits.pack(hits.CLICKED, delivery.pk, 99_999))
    hit(valkey, hits.pack(hits.CLICKED, delivery.pk, other.pk), hits.pack(9, delivery.pk))
    hit(valkey, b"nonsense")
    valkey.xadd(hits.STREAM, {"something": "else"})
    assert events.drain() == 4
    assert (kinds(), valkey.xlen(hits.STREAM)) == ([], 0)


def test_the_task_drains_until_the_stream_is_empty(delivery: Delivery, valkey: redis.Redis) -> None:
    for _ in range(30):
        hit(valkey, *(hits.pack(hits.OPENED, delivery.pk) for _ in range(250)))
    tasks.drain()
    assert Event.objects.count() == events.KEPT
    assert valkey.xlen(hits.STREAM) == 0


def test_an_unsubscribe_is_noted_for_its_mailing_once(cast: Cast, delivery: Delivery) -> None:
    for _ in range(2):
        events.note(
            kind=Event.Kind.UNSUBSCRIBED, mailing=delivery.mailing_id or 0, registrant=cast.ada.pk
        )
    assert kinds() == ["unsubscribed"]


def test_an_unsubscribe_without_a_delivery_is_noted_nowhere(cast: Cast, db: None) -> None:
    events.note(kind=Event.Kind.UNSUBSCRIBED, mailing=999_999, registrant=cast.ada.pk)
    assert kinds() == []


def test_hits_are_looked_up_by_key_whatever_was_measured_before_the_mail_left(
    delivery: Delivery, valkey: redis.Redis
) -> None:
    """A ledger just staged has no pixel in it yet: the planner must not take that for a fact."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO newsletter_delivery (mailing_id, registrant_id, letter, state, refusal,"
            " tries, opens, clicks, answer) SELECT %s, 1000000 + n, '', 'staged', '', 0, false,"
            " false, '' FROM generate_series(1, 2000) AS n",
            [delivery.mailing_id],
        )
        Delivery.objects.update(opens=False, clicks=False)
        cursor.execute("ANALYZE newsletter_delivery")
        Delivery.objects.filter(pk=delivery.pk).update(opens=True)
    plans: list[str] = []

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO tracking_event" in sql:
            with connection.cursor() as cursor:
                plain = cursor.cursor
                plain.execute("EXPLAIN " + sql, params)
                plans.extend(row[0] for row in plain.fetchall())
        return execute(sql, params, many, context)

    hit(valkey, *(hits.pack(hits.OPENED, delivery.pk + number) for number in range(1000)))
    with connection.execute_wrapper(explained):
        assert events.drain() == 1000
    assert kinds() == ["opened"]
    assert any("newsletter_delivery_pkey" in line for line in plans)
    assert not any("Seq Scan on newsletter_delivery" in line for line in plans)
