"""Demo data for the embedded database: two clients, five lists, 2,000 people in every state."""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.timezone import now

from accountability.roles import Role
from local.demo_words import DRAFT, HERON, LIGHTHOUSE, NAMES, NOTICE, SENT, SIGN_INS
from newsletter.delivery import leasing, staging
from newsletter.delivery.claiming import LARGEST_WINDOW, claim, settle
from newsletter.delivery.leasing import LeaseInHand
from newsletter.mailings import lifecycle
from newsletter.mailings.audience import question
from newsletter.models import Campaign, Delivery, Lease, Link, Mailing, Notice, Sender
from newsletter.transports import Outcome
from registrants import domains, suppression
from registrants.addresses import hashed
from registrants.consent import wording
from registrants.models import (
    Assignment,
    Choice,
    Client,
    ConsentEvent,
    Enrolment,
    MailingList,
    Registrant,
    Service,
    Subscription,
    Suppression,
)
from registrants.models.wording import Purpose
from tracking.models import Event

PEOPLE = 2_000


@transaction.atomic
def fill() -> bool:
    """Fill an empty embedded database; return False where there is a client already.

    Raises RuntimeError on any other database: demo people and sign-ins must never reach it.
    """
    if not settings.DEMO:
        raise RuntimeError("demo data is for the embedded database only")
    if Client.objects.exists():
        return False
    dice = random.Random(20261122)
    heron, lighthouse = _client(HERON), _client(LIGHTHOUSE)
    _staff(heron, lighthouse)
    _people(heron, PEOPLE * 3 // 4, dice)
    _people(lighthouse, PEOPLE - PEOPLE * 3 // 4, dice)
    _sent_campaign(heron, dice)
    _draft(heron)
    _notice(heron)
    return True


def _client(details: dict[str, Any]) -> Client:
    client = Client.objects.create(**details["client"])
    domains.allow(client=client, names=[client.domain], staff=None)
    for mailing_list in details["lists"]:
        made = MailingList.objects.create(client=client, **mailing_list)
        wording(client=client, purpose=Purpose.LIST, mailing_list=made)
    for purpose in (Purpose.OPENS, Purpose.CLICKS):
        wording(client=client, purpose=purpose)
    Sender.objects.create(client=client, is_default=True, **details["sender"])
    Service.objects.create(client=client, **details["service"])
    return client


def _staff(heron: Client, lighthouse: Client) -> None:
    users = get_user_model().objects
    for (_, name, password), superuser in zip(SIGN_INS, (False, False, True), strict=True):
        user = users.create_user(
            name, f"{name}@heed.example.org", password, is_staff=True, is_superuser=superuser
        )
        if name == "marketer":
            Assignment.objects.create(staff=user, client=heron, role=Role.MARKETER)
        if name == "administrator":
            for client in (heron, lighthouse):
                Assignment.objects.create(staff=user, client=client, role=Role.ADMINISTRATOR)


def _people(client: Client, count: int, dice: random.Random) -> None:
    """Make registrants of one client, each with a place on its lists and a history of consent."""
    people = Registrant.objects.bulk_create(
        [_person(client, number, dice) for number in range(count)]
    )
    for mailing_list in client.lists.all():
        chosen = dice.sample(people, k=len(people) * dice.choice((40, 55, 70)) // 100)
        subscriptions = [_subscription(person, mailing_list, dice) for person in chosen]
        Subscription.objects.bulk_create(subscriptions)
        _history(subscriptions, mailing_list)
    for service in client.services.all():
        enrolled = dice.sample(people, k=len(people) // 5)
        Enrolment.objects.bulk_create(
            [Enrolment(service=service, registrant=person) for person in enrolled]
        )
    _exceptions(client, people, dice)


def _person(client: Client, number: int, dice: random.Random) -> Registrant:
    first, last = dice.choice(NAMES), dice.choice(NAMES)
    address = f"{first}.{last}{number}@{dice.choice(('example.org', 'example.net'))}".lower()
    weights = {Choice.GRANTED: 55, Choice.UNKNOWN: 30, Choice.DENIED: 15}
    opens, clicks = dice.choices(list(weights), list(weights.values()), k=2)
    return Registrant(
        client=client,
        address=address,
        address_hash=hashed(address),
        name=f"{first} {last}" if dice.random() < 0.8 else "",
        attributes={"city": dice.choice(("Bath", "Cork", "Leiden", "Porto", "Tartu"))},
        opens=opens,
        clicks=clicks,
    )


def _subscription(
    person: Registrant, mailing_list: MailingList, dice: random.Random
) -> Subscription:
    asked_at = now() - timedelta(days=dice.randint(3, 400))
    made = Subscription(registrant=person, mailing_list=mailing_list, created_at=asked_at)
    fate = dice.random()
    if fate < 0.06:
        return made
    made.state, made.confirmed_at = Subscription.State.CONFIRMED, asked_at + timedelta(minutes=7)
    if fate < 0.16:
        made.state = Subscription.State.ENDED
        made.ended_at = now() - timedelta(days=dice.randint(0, 2))
        made.ended_reason = Subscription.Ended.UNSUBSCRIBED
    elif fate < 0.19:
        made.paused_until = now() + timedelta(days=30)
    return made


def _history(subscriptions: list[Subscription], mailing_list: MailingList) -> None:
    list_wording = wording(
        client=mailing_list.client, purpose=Purpose.LIST, mailing_list=mailing_list
    )
    acts = []
    for subscription in subscriptions:
        own_acts = [ConsentEvent.Act.ASKED]
        own_acts += [ConsentEvent.Act.GIVEN] * (subscription.confirmed_at is not None)
        own_acts += [ConsentEvent.Act.WITHDRAWN] * (subscription.ended_at is not None)
        acts += [
            ConsentEvent(
                registrant=subscription.registrant,
                purpose=Purpose.LIST,
                mailing_list=mailing_list,
                act=act,
                means=ConsentEvent.Means.DEMO,
                wording=list_wording,
            )
            for act in own_acts
        ]
    ConsentEvent.objects.bulk_create(acts)


def _exceptions(client: Client, people: list[Registrant], dice: random.Random) -> None:
    """Suppress some for each reason, restrict one, erase two."""
    odd = iter(dice.sample(people, k=24))
    for reason, count in (("hard_bounce", 8), ("complaint", 4), ("never_mail", 6)):
        for _ in range(count):
            suppression.suppress(
                address=next(odd).address,
                reason=Suppression.Reason(reason),
                client=client,
                evidence="demo data",
            )
    Registrant.objects.filter(pk=next(odd).pk).update(restricted_at=now())
    from registrants.privacy import erase

    for _ in range(2):
        erase(registrant=next(odd))


def _sent_campaign(client: Client, dice: random.Random) -> None:
    """Make a campaign that went out two days ago, with what came back since."""
    campaign = Campaign.objects.create(**_basics(client), **SENT)
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    campaign.refresh_from_db()
    began = now() - timedelta(days=2, hours=3)
    Lease.objects.filter(mailing=campaign).update(due_at=began)  # before this transaction began
    while (lease := leasing.take(Lease.Lane.CAMPAIGNS, campaign.pk)) is not None:
        _settle_lease(lease, campaign)
    lifecycle.finish_done()
    settled, finished = began + timedelta(seconds=1), began + timedelta(seconds=3)
    deliveries = Delivery.objects.filter(mailing=campaign)
    deliveries.update(handed_over_at=began, settled_at=settled)
    Lease.objects.filter(mailing=campaign).update(closed_at=began + timedelta(seconds=2))
    Mailing.objects.filter(pk=campaign.pk).update(started_at=began, finished_at=finished)
    _events(campaign, began, dice)


def _settle_lease(lease: LeaseInHand, campaign: Campaign) -> None:
    """Settle a lease as if a server had taken all but one in 97."""
    while True:
        recipients, taken = claim(lease=lease, question=question(campaign), window=LARGEST_WINDOW)
        settle(lease=lease, outcomes=[_demo_outcome(person.delivery) for person in recipients])
        if taken < LARGEST_WINDOW:
            break
    leasing.give_back(lease)


def _demo_outcome(delivery: int) -> Outcome:
    if delivery % 97 == 0:
        return Outcome(delivery, "failed", 550, "5.1.1", "no such mailbox")
    return Outcome(delivery, "sent", 250, "2.0.0", "Ok")


def _events(campaign: Campaign, began: datetime, dice: random.Random) -> None:
    links = list(Link.objects.filter(mailing=campaign))
    events = []
    for delivery in Delivery.objects.filter(mailing=campaign, state="sent"):
        at = began + timedelta(hours=min(50.0, dice.expovariate(1 / 7)))

        def happened(kind: str, at: datetime, delivery: Any = delivery, **more: object) -> None:
            events.append(
                Event(
                    key=uuid.uuid4(),
                    kind=kind,
                    delivery=delivery,
                    mailing=campaign,
                    at=min(at, now()),
                    **more,
                )
            )

        if delivery.opens and dice.random() < 0.46:
            happened(Event.Kind.OPENED, at)
        if delivery.clicks and links and dice.random() < 0.17:
            link = links[min(int(dice.expovariate(0.6)), len(links) - 1)]
            happened(Event.Kind.CLICKED, at + timedelta(minutes=1), link=link)
        if dice.random() < 0.006:
            happened(Event.Kind.UNSUBSCRIBED, at + timedelta(minutes=2))
    Event.objects.bulk_create(events)


def _basics(client: Client) -> dict[str, Any]:
    return {
        "client": client,
        "mailing_list": client.lists.order_by("pk").first(),
        "sender": client.senders.get(),
    }


def _draft(client: Client) -> None:
    Campaign.objects.create(**_basics(client), **DRAFT)


def _notice(client: Client) -> None:
    Notice.objects.create(
        client=client, service=client.services.get(), sender=client.senders.get(), **NOTICE
    )
