"""Mails for the tests of composing and rendering, and the slow obvious way to make one."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from liquid import Markup

from newsletter.content import header_fields, personalising
from newsletter.content.compiling import CompiledMail, Source, compile_mail
from newsletter.rendering.renderer import PIXEL_IMAGE, Recipient, Renderer
from tests import mail_links

BASE = "https://m.example.org"
STRICT = policy.SMTP.clone(raise_on_defect=True)


def source(**changes: Any) -> Source:
    """Return a campaign's source with whatever a test needs different."""
    fields: dict[str, Any] = {
        "kind": "campaign",
        "subject": "News for you",
        "body": "Hello {{ registrant.name }}, see [our shop](https://shop.example/?a=1&b=2).",
        "client_name": "Ärzte & Co",
        "postal_address": "1 High Street\nLondon",
        "from_name": "Ärzte & Co",
        "from_address": "news@client.example",
        "reply_to": "help@client.example",
        "message_id_domain": "client.example",
        "bounce_domain": "b.client.example",
        "link_base": BASE,
        "list_name": "News",
        "list_id": '"News" <news.client.example>',
        "feedback_id": "m7:c1:campaign:heedmail",
        "attribute_names": ("city", "site", "tags", "vip"),
    }
    return Source(**{**fields, **changes})


def ready(**changes: Any) -> Renderer:
    """Return a renderer of a campaign, links numbered from 1."""
    compiled = compile_mail(source(**changes))
    return Renderer(compiled, mailing=7, link_ids=range(1, len(compiled.links) + 1))


def ada(**changes: Any) -> Recipient:
    """Return a reader who granted everything."""
    fields: dict[str, Any] = {
        "delivery": 41,
        "address": "ada@example.org",
        "name": "Ada",
        "attributes": {},
        "subscription": 11,
        "opens": True,
        "clicks": True,
    }
    return Recipient(**{**fields, **changes})


def parsed(data: bytes) -> EmailMessage:
    """Parse a message strictly, as another program would."""
    message = message_from_bytes(data, policy=STRICT)
    assert isinstance(message, EmailMessage)
    return message


def part(data: bytes | EmailMessage, kind: str) -> str:
    """Return the decoded text of the plain or the html part."""
    message = parsed(data) if isinstance(data, bytes) else data
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def slowly(
    compiled: CompiledMail, person: Recipient, *, mailing: int, link_ids: list[int]
) -> bytes:
    """Make a mail the obvious way: whole templates, the email package, one person at a time."""
    base, subscription = compiled.link_base, person.subscription
    own = mail_links.preferences(base, subscription, mailing) if subscription is not None else ""
    clicks = [mail_links.click(base, person.delivery, link) for link in link_ids]
    pixel = mail_links.pixel(base, person.delivery).join(PIXEL_IMAGE)
    names = {
        **compiled.constants,
        "registrant": personalising.clean(
            {**person.attributes, "name": person.name, "address": person.address}
        ),
        "letter": personalising.clean(person.extra or {}),
        "unsubscribe_url": own,
        "preferences_url": own,
        "_link": clicks if person.clicks else compiled.links,
        "_pixel": Markup(pixel if person.opens else ""),
    }
    message = EmailMessage(policy=policy.SMTP.clone(max_line_length=998))
    message["To"] = header_fields.mailbox(person.address).decode()
    subject = personalising.TEXT.from_string(compiled.subject).render(**names)
    # The email package would decode what a name merely spells like an encoded word.
    message["Subject"] = header_fields.one_line(subject).replace("=?", "=\u200b?")
    message["Message-ID"] = mail_links.message_id(person.delivery, compiled.message_id_domain)
    if compiled.kind == "campaign" and subscription is not None:
        one_click = mail_links.one_click(base, subscription, mailing)
        message["List-Unsubscribe"] = f"<{one_click}>"
    text = personalising.TEXT.from_string(compiled.text).render(**names)
    html = personalising.HTML.from_string(compiled.html).render(**names)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes()
