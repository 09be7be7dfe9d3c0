"""The mails the system owes people: confirm, and the link to your choices."""

import logging
from datetime import timedelta
from functools import partial

import celery
from django.db import transaction
from django.utils.timezone import now
from kombu.exceptions import OperationalError

from newsletter import links
from newsletter.composing import Source
from newsletter.models import Delivery, Lease, Sender
from newsletter.sources import link_base
from registrants import gate
from registrants.consent import asks
from registrants.models import Client, ConsentEvent, Registrant

log = logging.getLogger(__name__)
NUDGE = "newsletter.tasks.send_letters"
A_DAY = timedelta(days=1)
PER_CLIENT, PER_INSTALLATION = 1, 5
"""Confirm letters one address may be sent in a day (S-3: a sign-up form is no bomb)."""


class NoSender(Exception):
    """The client has no sender a letter could leave under."""


def kind_of(letter: str) -> gate.MailKind:
    """Return the column of the gate's table a letter is asked under."""
    is_sign_up = letter == Delivery.Letter.CONFIRM
    return gate.MailKind.FRESH_SIGN_UP if is_sign_up else gate.MailKind.LETTER


@transaction.atomic
def owe(*, registrant: Registrant, letter: Delivery.Letter, asked_by: int) -> Delivery | None:
    """Owe a person a letter and nudge the worker once this is committed.

    Returns None where it is owed already, the day's limit is reached, or the gate refuses: the
    caller answers alike in every case (S-4).
    """
    question = gate.Question(kind=kind_of(letter), client=registrant.client_id)
    if gate.ask(registrant=registrant.pk, question=question):
        return None
    if letter == Delivery.Letter.CONFIRM and _over_limit(registrant):
        return None
    delivery, is_new = Delivery.objects.get_or_create(
        registrant=registrant, mailing=None, letter=letter, asked_by=asked_by
    )
    if not is_new:
        return None
    Lease.objects.create(
        lane=Lease.Lane.LETTERS, first=delivery.pk, last=delivery.pk, size=1, mailing=None
    )
    transaction.on_commit(partial(_nudge))
    return delivery


def _over_limit(registrant: Registrant) -> bool:
    """Tell whether the address has had its confirm letters of the day; locked against a race."""
    same = Registrant.objects.filter(address_hash=registrant.address_hash)
    list(same.select_for_update().order_by("pk").values_list("pk"))
    lately = Delivery.objects.filter(
        registrant__in=same,
        mailing=None,
        letter=Delivery.Letter.CONFIRM,
        created_at__gt=now() - A_DAY,
    )
    here = lately.filter(registrant=registrant).count()
    return here >= PER_CLIENT or lately.count() >= PER_INSTALLATION


def _nudge() -> None:
    """Wake the worker for letters; the timetable does it anyway a second later."""
    try:
        app = celery.current_app
        with app.connection_for_write(
            connect_timeout=0.5,
            transport_options={"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        ) as connection:
            app.send_task(NUDGE, connection=connection, retry=False, expires=2)
    except (OperationalError, OSError) as away:
        log.warning("the nudge did not get through: %s", type(away).__name__)


def sender_of(client: Client) -> Sender:
    """Return the sender of a client's letters; raises NoSender where there is none."""
    sender = client.senders.order_by("-is_default", "pk").first()
    if sender is None:
        raise NoSender(f"client {client.pk} has no sender; add one under Senders")
    return sender


CONFIRM = """\
Please confirm that **{{ client.name }}** may write to you.

You, or somebody who typed your address, asked for:

{{ letter.asked }}

[Yes, this was me: confirm]({{ letter.confirm_url }})

If you do nothing, nothing more comes. If this was not you:
[never mail me again]({{ letter.not_me_url }}).
"""

CHOICES = """\
Here is the link to your choices at **{{ client.name }}**. It works for 24 hours.

[Open my choices]({{ letter.choices_url }})

There you can correct your name, join lists, and say whether opens and clicks may be measured.
If you did not ask for this link, you can ignore this mail.
"""

WORDS = {
    Delivery.Letter.CONFIRM: (
        "Please confirm: {{ client.name }}",
        CONFIRM,
        ("asked", "confirm_url", "not_me_url"),
    ),
    Delivery.Letter.CHOICES: ("Your choices at {{ client.name }}", CHOICES, ("choices_url",)),
}


def source(client: Client, letter: str) -> Source:
    """Return the source of a letter of one client; raises NoSender."""
    sender = sender_of(client)
    subject, body, names = WORDS[Delivery.Letter(letter)]
    return Source(
        kind="letter",
        subject=subject,
        body=body,
        client_name=client.name,
        postal_address=client.postal_address,
        from_name=sender.from_name,
        from_address=sender.from_address,
        reply_to=sender.reply_to,
        bounce_domain=sender.envelope_domain,
        message_id_domain=client.domain,
        link_base=link_base(client),
        locale=client.locale,
        letter_names=names,
    )


def extra(delivery: Delivery) -> dict[str, str]:
    """Return what a letter says to its one reader: its links, and what was asked for."""
    base = link_base(delivery.registrant.client)
    if delivery.letter == Delivery.Letter.CHOICES:
        return {"choices_url": links.choices(base, delivery.pk)}
    ask = ConsentEvent.objects.get(pk=delivery.asked_by)
    asked = [each.mailing_list.name for each in asks(ask) if each.mailing_list]
    return {
        "asked": ", ".join(asked),
        "confirm_url": links.confirm(base, ask.pk),
        "not_me_url": links.never(base, ask.pk),
    }
