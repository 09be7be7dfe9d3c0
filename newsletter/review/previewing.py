"""A mailing as one person will get it, to look at: nothing in it acts, nobody is counted."""

from dataclasses import dataclass

from django.utils.html import escape

from newsletter import sandbox
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.mailings import freezing
from newsletter.mailings.audience import question
from newsletter.mailings.source import source_of
from newsletter.models import Mailing, Sender, Template
from newsletter.rendering.splicing import Recipient
from newsletter.sandbox import UsedUp
from registrants import gate
from registrants.models import Choice, MailingList, Registrant, Subscription

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


@dataclass(frozen=True)
class Trial:
    """What came of making a mailing for one person: how it looks, or what keeps it from being."""

    look: sandbox.Look | None
    faults: list[SourceError]
    """What keeps it from being a mail, or what in it no reader has."""

    @property
    def preview(self) -> Preview:
        """Return what to show; where it is no mail yet, a page that says why."""
        if self.look is not None:
            return Preview(*self.look.made, tuple(self.faults))
        message = "".join(f"{fault.field}: {fault}\n" for fault in self.faults)
        return Preview("", _page_of_faults(message), message, message.encode(), tuple(self.faults))

    @property
    def is_busy(self) -> bool:
        """Tell whether it was not looked at, because the same person has something else made."""
        return self.faults == UsedUp("turn").faults


def trial(mailing: Mailing, registrant: Registrant | None) -> Trial:
    """Make a mailing for one person once, for whatever is to be known of it."""
    try:
        made = look(mailing, registrant)
    except SourceErrors as refused:
        return Trial(None, refused.faults)
    return Trial(made, made.unknown_variables)


def look(mailing: Mailing, registrant: Registrant | None) -> sandbox.Look:
    """Make a mailing, frozen or as it stands; raises SourceErrors where it is no mail yet."""
    return sandbox.look(
        as_person(mailing, registrant),
        source=None if mailing.frozen_at else source_of(mailing),
        mail=freezing.mail_of(mailing) if mailing.compiled is not None else None,
    )


def as_person(mailing: Mailing, registrant: Registrant | None) -> Recipient:
    """Return one person as the mail is rendered for them, with what they let us measure.

    A stand-in where there is nobody.
    """
    registrant = registrant or STAND_IN
    may_measure = mailing.kind == Mailing.Kind.CAMPAIGN and not registrant.restricted_at
    subscription = None
    if registrant.pk and mailing.mailing_list_id:
        subscription = Subscription.objects.filter(
            registrant=registrant, mailing_list=mailing.mailing_list_id
        ).first()
    return Recipient(
        delivery=0,
        address=registrant.address,
        name=registrant.name,
        attributes=registrant.attributes,
        subscription=subscription.pk if subscription else 1,
        opens=may_measure and registrant.opens == Choice.GRANTED,
        clicks=may_measure and registrant.clicks == Choice.GRANTED,
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
    return trial(mailing, registrant).preview


def _page_of_faults(message: str) -> str:
    return (
        '<html lang="en"><title>Not readable yet</title><body style="font-family:sans-serif">'
        "<h1>This cannot be shown yet</h1>"
        f'<pre style="white-space:pre-wrap">{escape(message)}</pre>'
    )
