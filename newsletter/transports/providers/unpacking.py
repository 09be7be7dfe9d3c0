"""One whole message taken apart again, as a provider's API wants it: fields, text, HTML."""

import re
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.message import Message as Mime
from hashlib import sha256
from typing import Any, Final

from anymail._idna import idna2008
from anymail.message import AnymailMessage

from newsletter.transports.base import Message
from newsletter.transports.providers.capabilities import REFERENCE, Provider
from newsletter.transports.providers.catalogue import PROVIDERS
from newsletter.transports.providers.placeholders import unfit

_TOKEN: Final = re.compile(r"b\+([a-z2-7]{8,80})@", re.IGNORECASE)
_CONTROLS: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FOLD: Final = re.compile(r"\r?\n(?=[ \t])")
_ENVELOPE: Final = {"from", "to", "subject", "reply-to"}
_THEIRS: Final = {"date", "mime-version", "content-type", "content-transfer-encoding"}
"""Fields a provider makes itself; handed over as well they would stand there twice (M-2)."""


class NotCarried(Exception):
    """A message that cannot be given to this provider, in words fit to be shown."""


class Unpacked(AnymailMessage):
    """A message as django-anymail takes it, which still knows the bytes it was."""

    key: str = ""
    """The same for the same mail whenever it is called out again (A-13)."""
    data: bytes = b""

    def message(self, *args: object, **kwargs: object) -> Mime:
        """Return the MIME message as it was rendered; for providers that take it whole."""
        return message_from_bytes(self.data)


def unpack(message: Message, provider: str) -> Unpacked:
    """Take a message apart for one provider; raises NotCarried."""
    mime = message_from_bytes(message.data, policy=policy.SMTP)
    fields = _fields(mime)
    text, html = _bodies(mime)
    reason = unfit(provider, "\n".join([*fields.values(), text, html]))
    if reason:
        raise NotCarried(reason)
    unpacked = Unpacked(
        subject=fields.get("subject", ""),
        body=text,
        from_email=_sender(mime["From"], message.from_name),
        to=[_a_label(message.recipient)],
        reply_to=[str(address) for address in mime["Reply-To"].addresses]
        if mime["Reply-To"]
        else [],
        headers=_own(mime, provider),
    )
    if html:
        unpacked.attach_alternative(html, "text/html")
    unpacked.data, token = message.data, _token(message)
    unpacked.key = token or sha256(message.data).hexdigest()
    _tell(unpacked, PROVIDERS[provider], token)
    return unpacked


def _tell(unpacked: Unpacked, provider: Provider, token: str) -> None:
    """Give the provider the opaque token, and tell it to track nothing (A-18, A-19)."""
    if token and provider.reference == "metadata":
        unpacked.metadata = {REFERENCE: token}
    elif token:
        unpacked.tags = [token]
    if provider.switches_tracking and not provider.tracking_header:
        unpacked.track_opens = unpacked.track_clicks = False


def _fields(mime: Mime) -> dict[str, str]:
    """Return every header field by its name in small letters (A-12, M-2)."""
    fields: dict[str, str] = {}
    for name, value in mime.items():
        text = str(value).replace("\t", " ").strip()
        if _CONTROLS.search(text):
            raise NotCarried(f"{name} has a line break or a control character in it")
        if name.lower() in fields:
            raise NotCarried(f"{name} stands there twice")
        fields[name.lower()] = text
    return fields


def _own(mime: EmailMessage, provider: str) -> dict[str, str]:
    """Return the fields that travel as they are, in their order, encoded as they were."""
    kept = {
        name: _FOLD.sub("", value).replace("\t", " ").strip()
        for name, value in mime.raw_items()
        if name.lower() not in _ENVELOPE and name.lower() not in _THEIRS
    }
    if provider == "brevo" and "=?" in kept.get("List-Id", ""):
        kept["List-Id"] = "<" + kept["List-Id"].rpartition("<")[2]  # it would send raw 8-bit
    return kept


def _bodies(mime: EmailMessage) -> tuple[str, str]:
    """Return the plain text and the HTML, with bare line feeds."""
    bodies = {"text/plain": "", "text/html": ""}
    for part in mime.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        if bodies.get(kind) != "" or part.get_content_disposition() == "attachment":
            raise NotCarried(f"a part of the kind {kind} is more than a text and its HTML")
        try:
            bodies[kind] = str(part.get_content()).replace("\r\n", "\n")
        except (LookupError, ValueError):
            raise NotCarried(f"the part {kind} cannot be read") from None
    return bodies["text/plain"], bodies["text/html"]


def _sender(field: object, from_name: str | None) -> str:
    """Return the one address of From with the name as it was written.

    A name is not read from its encoded words: Python's parser doubles and loses blanks between
    them (RFC 2047 §6.2). In quotation marks it comes through django-anymail's parser as it is.
    """
    addresses: Sequence[Any] = getattr(field, "addresses", ())
    if len(addresses) != 1:
        raise NotCarried("From must name exactly one address")
    name = addresses[0].display_name if from_name is None else from_name.strip()
    if not name:
        return str(addresses[0].addr_spec)
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{addresses[0].addr_spec}>'


def _a_label(address: str) -> str:
    """Return the address with its domain as A-label (A-3); raises NotCarried."""
    local, at, domain = address.rpartition("@")
    if not at or not local.isascii() or _CONTROLS.search(address) or " " in address:
        raise NotCarried("the recipient is no address this provider takes")
    try:
        ascii_domain = domain if domain.isascii() else idna2008(domain)
        return str(Address(addr_spec=f"{local}@{ascii_domain}"))
    except Exception:
        raise NotCarried("the recipient is no address this provider takes") from None


def _token(message: Message) -> str:
    match = _TOKEN.match(message.envelope_from)
    return match[1].lower() if match else ""
