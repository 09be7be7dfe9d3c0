"""Steps that fail for one mailing, letter or client: where, how, and one tick of the timetable."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final, NamedTuple

import pytest
from django.db import connection
from django.utils.timezone import now

from newsletter import letters
from newsletter.delivery import leasing, prefetching, recovering, staging, worker
from newsletter.mailings import lifecycle
from newsletter.models import Campaign, Delivery, Mailing, SetAside
from registrants import enrolments
from registrants.models import Client, Registrant, Service
from tests.cast import Cast, make_client, make_list, make_registrant, make_sender

Step = SetAside.Step
A_TICK: Final = 5.0
"""Seconds others may be held up at most."""


class Others(NamedTuple):
    """Another client, with one reader and one campaign."""

    client: Client
    reader: Registrant
    campaign: Campaign


def tick() -> float:
    """Do what the timetable does each second; return how long it took."""
    began = time.monotonic()
    lifecycle.start_due()
    recovering.recover()
    leasing.close_cancelled()
    staging.stage_due()
    worker.serve(lanes=("letters", "notices"), seconds=2)
    worker.serve(lanes=("campaigns",), seconds=4)
    lifecycle.finish_done()
    return time.monotonic() - began


def unforeseen() -> None:
    raise RuntimeError("nobody saw ada@example.net coming from https://secret.example/?key=1")


def by_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


class Break(NamedTuple):
    """Where an exception is injected, and of which mailing the step is."""

    step: str
    module: ModuleType | type
    name: str
    mailing_of: Callable[..., int | None]


BREAKS = {
    "start": Break(Step.START, lifecycle, "_start", lambda mailing, moment: mailing.pk),
    "compile": Break(Step.STAGE, staging, "_frozen", lambda mailing: mailing.pk),
    "stage": Break(Step.STAGE, staging, "_insert", lambda mailing, question: mailing.pk),
    "gate": Break(Step.SEND, worker, "question", lambda mailing: mailing.pk),
    "renderer": Break(Step.SEND, worker, "_renderer", lambda mailing_id: mailing_id),
    "take": Break(Step.SEND, leasing, "take", lambda lane, mailing, attempt: mailing),
    "claim": Break(Step.SEND, prefetching, "claim", lambda **given: given["lease"].mailing),
    "settle": Break(Step.SEND, prefetching, "settle", lambda **given: given["lease"].mailing),
    "give back": Break(Step.SEND, leasing, "give_back", lambda lease, **given: lease.mailing),
}


@contextmanager
def broken(where: Break, mailing: int, fault: Callable[[], None]) -> Iterator[list[int]]:
    """Have a step fail for one mailing; yields how often it was tried."""
    real, tries = getattr(where.module, where.name), []

    def failing(*arguments: Any, **given: Any) -> Any:
        if where.mailing_of(*arguments, **given) == mailing:
            tries.append(mailing)
            fault()
        return real(*arguments, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where.module, where.name, failing)
        yield tries


def due_now() -> None:
    """Have what was set aside, and what was left in hand, come due as time would."""
    SetAside.objects.update(due_at=now())
    Mailing.objects.filter(waiting_until__isnull=False).update(waiting_until=now())


def owed(person: Registrant, number: int = 1) -> Delivery:
    """Owe a person the link to their choices."""
    delivery = letters.owe(registrant=person, letter=Delivery.Letter.CHOICES, asked_by=number)
    assert delivery is not None
    return delivery


def owe_many(cast: Cast, count: int) -> None:
    """Owe many people of the cast's client a letter, for an hour already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH people AS (INSERT INTO registrants_registrant (client_id, address, address_hash,"
            " name, attributes, opens, clicks, created_at)"
            " SELECT %s, 'reader' || number || '@example.net', int8send(number), '', '{}',"
            " 'denied', 'denied', now() FROM generate_series(1, %s) AS number RETURNING id),"
            " owed AS (INSERT INTO newsletter_delivery (registrant_id, letter, asked_by, state,"
            " refusal, tries, opens, clicks, answer)"
            " SELECT id, 'choices', 1, 'staged', '', 0, false, false, '' FROM people RETURNING id)"
            " INSERT INTO newsletter_lease (lane, client_id, letter, first, last, size, worker,"
            " due_at) SELECT 'letters', %s, 'choices', id, id, 1, '', now() - interval '1 hour'"
            " FROM owed",
            [cast.client.pk, count, cast.client.pk],
        )


def make_cast_of(slug: str) -> Cast:
    """Make a second client with a service, an enrolled person and a sender."""
    client = make_client(slug.title(), slug)
    service = Service.objects.create(client=client, name="Account", description="an account")
    person = make_registrant(client, f"ada@{slug}.example.net")
    enrolments.enrol(registrant=person, service=service)
    people = dict.fromkeys(("ada", "ben", "cleo", "dov", "eve", "fay"), person)
    return Cast(client, make_list(client), service, make_sender(client), **people)
