"""The cast: one client with a list, a service and a sender, and a person in every state.

Ada confirmed, Ben pending, Cleo ended, Dov suppressed (never mail me), Eve erased, Fay under 13.
All but Eve are enrolled in the service; so was Eve, before she was erased.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import connection
from django.utils.timezone import now

from accountability.roles import Role
from newsletter.delivery.staging import LEASE_SIZE
from newsletter.models import Campaign, Notice, Sender
from registrants import consent, enrolments, privacy, suppression
from registrants.addresses import hashed
from registrants.consent import Ask, Means
from registrants.models import (
    Assignment,
    Choice,
    Client,
    ClientDomain,
    MailingList,
    Registrant,
    Service,
    Subscription,
    Suppression,
)
from registrants.provenance import Provenance

FORM = Provenance(means=Means.FORM, ip="192.0.2.7", browser="Test browser")
NAMES = ("ada", "ben", "cleo", "dov", "eve", "fay")
PASSWORD = "a-password-for-tests"


@dataclass
class Cast:
    """Everybody, by name."""

    client: Client
    mailing_list: MailingList
    service: Service
    sender: Sender
    ada: Registrant
    ben: Registrant
    cleo: Registrant
    dov: Registrant
    eve: Registrant
    fay: Registrant

    @property
    def everybody(self) -> dict[str, Registrant]:
        """Return the people by name."""
        return {name: getattr(self, name) for name in NAMES}

    def campaign(self, **overrides: object) -> Campaign:
        """Make a draft to the list."""
        fields = {
            "client": self.client,
            "mailing_list": self.mailing_list,
            "sender": self.sender,
            "subject": "News of the week",
            "body": "Hello {{ registrant.name | default: 'there' }},\n\n"
            "[read on](https://heron.example.org/new) and on.",
        }
        return Campaign.objects.create(**(fields | overrides))

    def notice(self, **overrides: object) -> Notice:
        """Make a draft to everyone enrolled in the service."""
        fields = {
            "client": self.client,
            "service": self.service,
            "sender": self.sender,
            "subject": "Your account moves",
            "reason": "The address to sign in at changes.",
            "body": "From Monday you sign in [here](https://account.example.org/).",
        }
        return Notice.objects.create(**(fields | overrides))


def make_client(name: str = "Heron Books", slug: str = "heron", locale: str = "en") -> Client:
    """Make a client that may send."""
    client = Client.objects.create(
        name=name,
        slug=slug,
        locale=locale,
        domain=f"{slug}.example.org",
        postal_address="12 Mill Lane, Bath",
        attribute_names=["city"],
    )
    ClientDomain.objects.create(client=client, name=client.domain)
    return client


def make_list(client: Client, name: str = "New books", slug: str = "new-books") -> MailingList:
    """Make a public list."""
    return MailingList.objects.create(
        client=client, name=name, slug=slug, purpose="the books we are glad arrived, once a week"
    )


def make_sender(client: Client, **overrides: object) -> Sender:
    """Make the default sender of a client; its mail goes where EMAIL_URL says unless told."""
    fields = {
        "client": client,
        "name": "The shop",
        "from_name": client.name,
        "from_address": f"post@{client.domain}",
        "is_default": True,
    }
    return Sender.objects.create(**(fields | overrides))


def make_registrant(client: Client, address: str, **overrides: object) -> Registrant:
    """Make a registrant who has said nothing yet."""
    fields = {"name": address.partition("@")[0].title()}
    return Registrant.objects.create(
        client=client, address=address, address_hash=hashed(address), **(fields | overrides)
    )


def confirmed(registrant: Registrant, mailing_list: MailingList) -> Subscription:
    """Put a registrant on a list the whole way: asked by form, confirmed by letter."""
    ask = consent.ask(
        client=mailing_list.client,
        address=registrant.address,
        ask=Ask(lists=(mailing_list,)),
        provenance=FORM,
    )
    assert consent.confirm(event=ask, provenance=Provenance(means=Means.CONFIRM_PAGE))
    return Subscription.objects.get(registrant=registrant, mailing_list=mailing_list)


def make_crowd(mailing_list: MailingList, addresses: Iterable[str]) -> None:
    """Put many new people on a list at once, confirmed, without the events on the way there."""
    people = Registrant.objects.bulk_create(
        Registrant(
            client=mailing_list.client,
            address=address,
            address_hash=hashed(address),
            name=address.partition("@")[0].title(),
        )
        for address in addresses
    )
    Subscription.objects.bulk_create(
        Subscription(
            registrant=person,
            mailing_list=mailing_list,
            state=Subscription.State.CONFIRMED,
            confirmed_at=now(),
        )
        for person in people
    )


def measured(registrant: Registrant) -> Registrant:
    """Have a registrant grant both kinds of measuring."""
    registrant.opens = registrant.clicks = Choice.GRANTED
    registrant.save()
    return registrant


def _begin_a_range() -> None:
    """Have the next deliveries lie in one range: leases are cut where an id can be divided.

    Else whether a handful of deliveries has one lease or two would depend on how many deliveries
    the tests before had made.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('newsletter_delivery', 'id'),"
            " (nextval(pg_get_serial_sequence('newsletter_delivery', 'id')) / %s + 1) * %s)",
            [LEASE_SIZE, LEASE_SIZE],
        )


def make_cast(locale: str = "en") -> Cast:
    """Make everybody, at a client whose pages and letters are in that language."""
    _begin_a_range()
    client = make_client(locale=locale)
    mailing_list = make_list(client)
    service = Service.objects.create(
        client=client, name="Reading account", description="the account people order with"
    )
    people = {name: make_registrant(client, f"{name}@example.net") for name in NAMES}
    for name, person in people.items():
        if name != "ben":
            confirmed(person, mailing_list)
        enrolments.enrol(registrant=person, service=service)
    consent.ask(
        client=client,
        address=people["ben"].address,
        ask=Ask(lists=(mailing_list,)),
        provenance=FORM,
    )
    consent.withdraw(
        subscription=people["cleo"].subscriptions.get(),
        provenance=Provenance(means=Means.ONE_CLICK),
    )
    suppression.suppress(
        address=people["dov"].address, reason=Suppression.Reason.NEVER_MAIL, client=client
    )
    privacy.erase(registrant=people["eve"])
    suppression.suppress(address=people["fay"].address, reason=Suppression.Reason.UNDER_13)
    for person in people.values():
        person.refresh_from_db()
    return Cast(client, mailing_list, service, make_sender(client), **people)


def make_staff(name: str, *, client: Client | None = None, role: str = Role.MARKETER) -> User:
    """Make a member of staff, assigned to a client where one is named."""
    staff = get_user_model().objects.create_user(
        name, f"{name}@staff.example.org", PASSWORD, is_staff=True
    )
    if client is not None:
        Assignment.objects.create(staff=staff, client=client, role=role)
    return staff
