"""A mailing as one person will get it, to look at: nothing in it acts, nobody is counted."""

from dataclasses import dataclass, replace

from django.utils.html import escape

from newsletter.content import compiling
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.mailings import freezing
from newsletter.mailings.audience import question
from newsletter.mailings.source import source_of
from newsletter.models import Mailing, Sender, Template
from newsletter.rendering import inert_preview
from newsletter.rendering.splicing import Recipient, Unrenderable
from registrants import gate
from registrants.models import MailingList, Registrant, Subscription

READERS_OFFERED = 20
STAND_IN = Registrant(address="reader@example.org", name="")


@dataclass(frozen=True)
class Preview:
    """What would leave: subject, both parts, the whole message; every link in it is inert."""

    subject: str
    html: str
    text: str
    raw: bytes
    faults: tuple[SourceError, ...] = ()


def people(mailing: Mailing, beginning: str = "") -> list[Registrant]:
    """Return some people the mailing would reach, by the beginning of their address."""
    registrants = gate.allowed(question(mailing))
    if beginning.strip():
        registrants = registrants.filter(address__istartswith=beginning.strip())
    return list(registrants.order_by("pk")[:READERS_OFFERED])


def person(mailing: Mailing, pk: str = "") -> Registrant | None:
    """Return one person of the audience by id, else the first; None where there is nobody."""
    registrants = gate.allowed(question(mailing))
    chosen = None
    if pk.isascii() and pk.isdigit() and len(pk) < 19:
        chosen = registrants.filter(pk=int(pk)).first()
    return chosen or registrants.order_by("pk").first()


def render(mailing: Mailing, registrant: Registrant | None, address: str = "") -> Preview:
    """Render a mailing, frozen or as it stands; raises SourceErrors where it is no mail yet.

    The address, where given, stands in the To line instead of the registrant's own.
    """
    compiled = freezing.mail_of(mailing)
    reader = _as_person(mailing, registrant or STAND_IN, address)
    try:
        made = inert_preview.preview(compiled, reader)
    except Unrenderable as refused:
        raise SourceErrors([SourceError("body", str(refused))]) from refused
    return Preview(*made)


def _as_person(mailing: Mailing, registrant: Registrant, address: str) -> Recipient:
    subscription = None
    if registrant.pk and mailing.mailing_list_id:
        subscription = Subscription.objects.filter(
            registrant=registrant, mailing_list=mailing.mailing_list_id
        ).first()
    return Recipient(
        delivery=0,
        address=address or registrant.address,
        name=registrant.name,
        attributes=registrant.attributes,
        subscription=subscription.pk if subscription else 1,
    )


def sample(template: Template) -> Mailing:
    """Return an unsaved campaign that shows what a layout looks like around a body."""
    client = template.client
    sender = Sender(client=client, from_name=client.name, from_address=f"news@{client.domain}")
    return Mailing(
        kind=Mailing.Kind.CAMPAIGN,
        client=client,
        sender=sender,
        mailing_list=MailingList(client=client, name="Newsletter", slug="newsletter"),
        template=template,
        subject="How a mail looks in this layout",
        preheader="The line after the subject",
        body_format=Mailing.Format.MARKDOWN,
        body='# A heading\n\nHello {{ registrant.name | default: "there" }},\n\nhere is some text,'
        " and [a link](https://example.org/).\n\n- one\n- two\n",
    )


def preview(mailing: Mailing, registrant: Registrant | None) -> Preview:
    """Render a mailing for one person; what is wrong with it stands in its place or beside it."""
    try:
        made = render(mailing, registrant)
    except SourceErrors as faults:
        message = "".join(f"{fault.field}: {fault}\n" for fault in faults.faults)
        return Preview(
            "", _page_of_faults(message), message, message.encode(), tuple(faults.faults)
        )
    return replace(made, faults=tuple(unknown_variables(mailing)))


def _page_of_faults(message: str) -> str:
    return (
        '<html lang="en"><title>Not readable yet</title><body style="font-family:sans-serif">'
        "<h1>This cannot be shown yet</h1>"
        f'<pre style="white-space:pre-wrap">{escape(message)}</pre>'
    )


def unknown_variables(mailing: Mailing) -> list[SourceError]:
    """Return each variable no such mail has, with its place; what is frozen was looked at then."""
    if mailing.frozen_at is not None:
        return []
    return list(compiling.unknown_variables(source_of(mailing)))


def faults(mailing: Mailing) -> list[dict[str, object]]:
    """Return what is wrong with a mailing as it stands, fit for JSON."""
    try:
        freezing.mail_of(mailing)
        errors = unknown_variables(mailing)
    except SourceErrors as refused:
        errors = refused.faults
    return [
        {"field": fault.field, "words": str(fault), "line": fault.line, "column": fault.column}
        for fault in errors
    ]
