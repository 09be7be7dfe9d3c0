"""The mails the system owes people: confirm, and the link to your choices."""

import logging
from datetime import timedelta
from textwrap import shorten
from typing import NamedTuple, assert_never

import celery
from django.db import transaction
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext, gettext_noop, ngettext

from newsletter import links
from newsletter.content.compiling import Source
from newsletter.fence import Foreseen
from newsletter.mailings.source import identity, link_base
from newsletter.models import Delivery, Lease, Sender
from redis_store import rate_limits
from registrants import gate, languages
from registrants.addresses import mailbox_hashed
from registrants.models import Client, ConsentEvent, Registrant
from registrants.pending_asks import asks

log = logging.getLogger(__name__)
NUDGE = "newsletter.tasks.send_letters"
A_DAY = timedelta(days=1)
PER_CLIENT, PER_INSTALLATION, OTHER_LETTERS_A_DAY = 1, 5, 5
"""Confirm letters one address may be sent in a day, and links to its choices by one client (S-3:
neither a sign-up form nor a forwarded mail is a bomb)."""
ASKED_LONGEST, ASKED_MOST = 360, 6


class NoSender(Foreseen):
    """The client has no sender a letter could leave under."""


def kind_of(letter: str) -> gate.MailKind:
    """Return the column of the gate's table a letter is asked under."""
    match Delivery.Letter(letter):
        case Delivery.Letter.CONFIRM:
            return gate.MailKind.FRESH_SIGN_UP
        case Delivery.Letter.CHOICES:
            return gate.MailKind.LETTER
        case other:
            assert_never(other)


@transaction.atomic
def owe(*, registrant: Registrant, letter: Delivery.Letter, asked_by: int) -> Delivery | None:
    """Owe a person a letter and nudge the worker once this is committed.

    Returns None where it is owed already, the day's limit is reached, or the gate refuses: the
    caller answers alike in every case, and the nudge takes its time in every case (S-4).
    """
    transaction.on_commit(nudge)
    question = gate.Question(kind=kind_of(letter), client=registrant.client_id)
    if not registrant.address or gate.ask(registrant=registrant.pk, question=question):
        return None
    if _over_limit(registrant, letter):
        return None
    delivery, is_new = Delivery.objects.get_or_create(
        registrant=registrant, mailing=None, letter=letter, asked_by=asked_by
    )
    if not is_new:
        return None
    Lease.objects.create(
        lane=Lease.Lane.LETTERS,
        client_id=registrant.client_id,
        letter=letter,
        first=delivery.pk,
        last=delivery.pk,
        size=1,
    )
    return delivery


def _over_limit(registrant: Registrant, letter: str) -> bool:
    """Tell whether the day's letters are used up; locked against a race, counted in the ledger."""
    same = Registrant.objects.filter(address_hash=registrant.address_hash)
    list(same.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    lately = Delivery.objects.filter(
        registrant__in=same, mailing=None, letter=letter, created_at__gt=now() - A_DAY
    )
    here = lately.filter(registrant=registrant).count()
    match Delivery.Letter(letter):
        case Delivery.Letter.CHOICES:
            return here >= OTHER_LETTERS_A_DAY
        case Delivery.Letter.CONFIRM:
            if here >= PER_CLIENT or lately.count() >= PER_INSTALLATION:
                return True
            return not _mailbox_may(registrant)
        case other:
            assert_never(other)


def _mailbox_may(registrant: Registrant) -> bool:
    """Count plus tags and dots as one mailbox, in Redis alone; without it addresses count."""
    mailbox = mailbox_hashed(registrant.address).hex()
    a_day = A_DAY.total_seconds()
    buckets = (
        (f"confirm:{registrant.client_id}:{mailbox}", PER_CLIENT),
        (f"confirm:all:{mailbox}", PER_INSTALLATION),
    )
    try:
        return all(rate_limits.allow(key, rate=most / a_day, burst=most) for key, most in buckets)
    except rate_limits.LimitsUnavailable:
        return True


def nudge() -> None:
    """Wake the worker for letters; the timetable does it anyway a second later."""
    try:
        app = celery.current_app
        with app.connection_for_write(
            connect_timeout=0.4,
            transport_options={
                "socket_timeout": 0.4,
                "socket_connect_timeout": 0.4,
                "max_retries": 0,
            },
        ) as connection:
            app.send_task(NUDGE, connection=connection, retry=False)
    except Exception as away:  # whatever it is, it must not become the answer
        log.warning("the nudge did not get through: %s", type(away).__name__)


def sender_of(client: Client) -> Sender:
    """Return the sender of a client's letters; raises NoSender where there is none."""
    sender = client.senders.order_by("-is_default", "pk").first()
    if sender is None:
        raise NoSender("This client has no sender; add one under Senders.")
    return sender


CONFIRM_BODY = gettext_noop("""\
Please confirm that **{{ client.name }}** may write to you.

You, or somebody who typed your address, asked for this:

{{ letter.asked | newline_to_br }}

[Yes, this was me: confirm]({{ letter.confirm_url }})

If you do nothing, nothing more comes. If this was not you:
[never mail me again]({{ letter.not_me_url }}).
""")

CHOICES_BODY = gettext_noop("""\
Here is the link to your choices at **{{ client.name }}**. It works for 24 hours.

[Open my choices]({{ letter.choices_url }})

There you can correct your name, join lists, and say whether opens and clicks may be measured.
If you did not ask for this link, you can ignore this mail.
""")


class LetterText(NamedTuple):
    """What a letter says, in English, and which names of its own it may use."""

    subject: str
    body: str
    names: tuple[str, ...]


LETTERS = {
    Delivery.Letter.CONFIRM: LetterText(
        gettext_noop("Please confirm: {{ client.name }}"),
        CONFIRM_BODY,
        ("asked", "confirm_url", "not_me_url"),
    ),
    Delivery.Letter.CHOICES: LetterText(
        gettext_noop("Your choices at {{ client.name }}"),
        CHOICES_BODY,
        ("choices_url",),
    ),
}


def source(client: Client, letter: str) -> Source:
    """Return the source of a letter in one client's language; raises NoSender."""
    sender = sender_of(client)
    subject, body, names = LETTERS[Delivery.Letter(letter)]
    language = languages.spoken(client.locale)
    with translation.override(language):
        subject, body = gettext(subject), gettext(body)
    return Source(
        kind="letter",
        subject=subject,
        body=body,
        **identity(client, sender) | {"locale": language},
        letter_names=names,
    )


def letter_values(delivery: Delivery) -> dict[str, str]:
    """Return what a letter says to its one reader: its links, and what was asked for."""
    client = delivery.registrant.client
    match Delivery.Letter(delivery.letter):
        case Delivery.Letter.CHOICES:
            return {"choices_url": links.choices(link_base(client), delivery.pk)}
        case Delivery.Letter.CONFIRM:
            return _to_confirm(delivery, client)
        case other:
            assert_never(other)


def _to_confirm(delivery: Delivery, client: Client) -> dict[str, str]:
    base, ask = link_base(client), ConsentEvent.objects.get(pk=delivery.asked_by or 0)
    with languages.speaking(client.locale):
        asked = _asked(list(asks(ask)))
    return {
        "asked": asked,
        "confirm_url": links.confirm(base, ask.pk),
        "not_me_url": links.never(base, ask.pk),
    }


def _asked(together: list[ConsentEvent]) -> str:
    """Return what was asked for, a line each, cut so that the letter stays within 5 KB (S-3)."""
    lines = [
        f"{ask.mailing_list}: {ask.mailing_list.purpose}"
        if ask.mailing_list
        else gettext("allowed: %(measuring)s") % {"measuring": ask.get_purpose_display()}
        for ask in together
    ]
    width = max(60, ASKED_LONGEST // len(lines))
    shown = [shorten(line, width, placeholder=" …") for line in lines[:ASKED_MOST]]
    more = len(lines) - len(shown)
    rest = ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more}
    return "\n".join([*shown, rest] if more else shown)
