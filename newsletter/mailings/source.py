"""A mailing as a source to compile: its words, its layout, and the identity it leaves under."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext

from newsletter.content import header_fields
from newsletter.content.compiling import Source
from newsletter.models import Mailing, Sender, Template
from registrants import languages
from registrants.models import Client, MailingList

FEEDBACK_SENDER = "heedmail"
"""The stable last id of Feedback-ID, 5 to 15 characters (U-11)."""
OF_THE_CLIENT = ("sender", "mailing_list", "service", "template")
"""The fields of a mailing that name something its client owns."""
WRITTEN = (*OF_THE_CLIENT, "subject", "preheader", "body_format", "body", "reason")
"""The fields of a mailing that a person writes, whatever its kind."""


def link_base(client: Client) -> str:
    """Return what every link in a client's mail begins with: their link host, or our own."""
    if not client.link_host:
        return str(settings.PUBLIC_URL)
    return f"{urlsplit(settings.PUBLIC_URL).scheme}://{client.link_host}"


def list_id(mailing_list: MailingList, client: Client) -> str:
    """Return List-Id: the name, and slug and domain, which stay when the name changes."""
    name = re.sub(r'["\\<>]', "", header_fields.one_line(mailing_list.name)).strip()
    return f'"{name}" <{mailing_list.slug}.{client.domain}>'


def _feedback_id(mailing: Mailing) -> str:
    return f"m{mailing.pk or 0}:c{mailing.client_id}:{mailing.kind}:{FEEDBACK_SENDER}"


def _reason_line(mailing: Mailing) -> str:
    if mailing.kind != Mailing.Kind.NOTICE or mailing.service is None:
        return ""
    reason = " ".join(mailing.reason.split())
    with languages.speaking(mailing.client.locale):
        return gettext(
            "You get this notice because you signed up for “%(service)s” of %(client)s. It reaches"
            " you even if you unsubscribed: %(reason)s"
        ) % {"service": mailing.service.name, "client": mailing.client.name, "reason": reason}


def identity(client: Client, sender: Sender) -> dict[str, Any]:
    """Return the fields of a source that say on whose behalf and by whom a mail leaves."""
    return {
        "client_name": client.name,
        "postal_address": client.postal_address,
        "from_name": sender.from_name,
        "from_address": sender.from_address,
        "reply_to": sender.reply_to,
        "bounce_domain": sender.envelope_domain,
        "message_id_domain": client.domain,
        "link_base": link_base(client),
        "locale": client.locale,
    }


def source_of(mailing: Mailing) -> Source:
    """Return the source of a campaign or a notice as it stands, saved or not."""
    client, sender, chosen = mailing.client, mailing.sender, mailing.mailing_list
    return Source(
        kind=mailing.kind,
        subject=mailing.subject,
        preheader=mailing.preheader,
        body=mailing.body,
        body_format=mailing.body_format,
        layout=mailing.template.source if mailing.template else "",
        layout_format=mailing.template.format if mailing.template else Template.Format.MJML,
        **identity(client, sender),
        list_name=chosen.name if chosen else "",
        list_id=list_id(chosen, client) if chosen else "",
        feedback_id=_feedback_id(mailing),
        reason_line=_reason_line(mailing),
        attribute_names=tuple(client.attribute_names),
    )
