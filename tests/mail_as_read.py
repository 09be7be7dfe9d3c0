"""Letters and mailings as a stranger's parser reads them, for tests of what they say."""

import email
import email.policy
from email.message import EmailMessage

from newsletter import letters
from newsletter.content.compiling import Source, compile_mail
from newsletter.mailings.source import source_of
from newsletter.models import Delivery, Mailing
from newsletter.rendering.renderer import Recipient, Renderer


def letter_as_read(delivery: Delivery) -> EmailMessage:
    """Return a letter as its one reader gets it."""
    registrant = delivery.registrant
    person = Recipient(
        delivery=delivery.pk,
        address=registrant.address,
        name=registrant.name,
        attributes={},
        subscription=None,
        opens=False,
        clicks=False,
        extra=letters.letter_values(delivery),
    )
    return _as_read(letters.source(registrant.client, delivery.letter), person, None)


def mailing_as_read(mailing: Mailing) -> EmailMessage:
    """Return a mailing as Ada gets it, who granted no measuring."""
    person = Recipient(
        delivery=1,
        address="ada@example.net",
        name="Ada",
        attributes={},
        subscription=1 if mailing.kind == Mailing.Kind.CAMPAIGN else None,
        opens=False,
        clicks=False,
    )
    return _as_read(source_of(mailing), person, mailing.pk)


def html_of(mail: EmailMessage) -> str:
    """Return the HTML part."""
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def _as_read(source: Source, person: Recipient, mailing: int | None) -> EmailMessage:
    compiled = compile_mail(source)
    renderer = Renderer(compiled, mailing=mailing or 0, link_ids=[0] * len(compiled.links))
    mail = email.message_from_bytes(renderer.render(person), policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail
