"""The renderer for mail staff look at: the mail itself, save that no link of it acts."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

from liquid import Markup, escape

from newsletter.content import header_fields, link_rewriting
from newsletter.content.compiled import CompiledMail
from newsletter.content.liquid_tags import Tags
from newsletter.rendering import mime
from newsletter.rendering.mime import Piece, Slot
from newsletter.rendering.renderer import PIXEL_IMAGE, Renderer
from newsletter.rendering.splicing import (
    Fill,
    LinkSlot,
    Recipient,
    Segment,
    render_text,
)

_IDENTIFIER_BYTES: Final = 25
_ADDRESS: Final = re.compile(r"https?://[^\s<>\x00]*[^\s<>\x00.,;:!?)\]'\"]")


class Shown(NamedTuple):
    """A mail decoded, as somebody sees it."""

    subject: str
    html: str
    text: str


class InertRenderer(Renderer):
    """Makes a mail as the renderer does, with one address in place of each signed link."""

    def __init__(
        self, compiled: CompiledMail, *, inert: str, to: str = "", before_subject: str = ""
    ) -> None:
        """Prepare a mail; `to` stands in the To field in place of the person's own address."""
        self.inert = inert
        self.to = to
        self.before_subject = before_subject
        super().__init__(compiled, link_ids=[0] * len(compiled.links))

    def shown(self, recipient: Recipient) -> Shown:
        """Return what one person would see, without the pixel; raises Unrenderable."""
        subject = header_fields.one_line(render_text(self._subject, recipient))
        return Shown(
            subject,
            "".join(self._texts(self._html, recipient)),
            "".join(self._texts(self._text, recipient)),
        )

    def _texts(self, segments: Iterable[Segment], recipient: Recipient) -> Iterable[str]:
        for segment in segments:
            match segment:
                case LinkSlot(position):
                    yield str(escape(self.compiled.links[position]))
                case Fill(_, text):
                    yield text(recipient)
                case str():
                    yield segment

    def _sign(self) -> None:
        """Sign nothing: whoever makes such a mail has no key."""

    def _click_slot(self, position: int) -> list[str | Slot]:
        return [str(escape(self.compiled.links[position]))]

    def _pixel_slot(self) -> list[str | Slot]:
        return [self.inert]

    def _identifier(self) -> Piece:
        return secrets.token_urlsafe(_IDENTIFIER_BYTES).encode()

    def _to(self, recipient: Recipient) -> bytes:
        return mime.folded_mailbox(self.to) if self.to else mime.to(recipient)

    def _titled(self, text: str) -> bytes:
        return mime.subject(self.before_subject + header_fields.one_line(text))

    def _list_unsubscribe(self, recipient: Recipient) -> bytes:
        return self.inert.replace("…", "...").encode()

    def _preferences(self, recipient: Recipient) -> str:
        return self.inert if self.compiled.kind == "campaign" else ""

    def _measured(self, recipient: Recipient) -> dict[str, object]:
        pixel = Markup(self.inert.join(PIXEL_IMAGE)) if recipient.opens else Markup("")
        return {"_link": self.compiled.links, "_pixel": pixel}


def mails_of_a_test(
    compiled: CompiledMail, recipient: Recipient, *, inert: str, before_subject: str, to: list[str]
) -> list[bytes]:
    """Return the mail of one person addressed to each of some staff, every link of it inert.

    Raises Unrenderable like the renderer.
    """
    led = _led_to(compiled, inert)
    return [
        InertRenderer(led, inert=inert, to=address, before_subject=before_subject).render(recipient)
        for address in to
    ]


def _led_to(compiled: CompiledMail, address: str) -> CompiledMail:
    """Return a mail whose links all lead to one address, the personal ones too."""
    tags = Tags(compiled.html)
    page = link_rewriting.led_to(tags.swap(compiled.html, field="html"), tags, address)
    return replace(
        compiled,
        html=tags.into_html(page),
        text=_text_led_to(compiled.text, address),
        links=[address] * len(compiled.links),
    )


def _text_led_to(text: str, address: str) -> str:
    """Return plain text with each web address in it replaced; a tag that decides ends one."""
    tags = Tags(text)

    def bounded(match: re.Match[str]) -> str:
        return match[0] if tags.of(match).is_output else f"\0{match[0]}\0"

    swapped = tags.word.sub(bounded, tags.swap(text, field="text"))
    return tags.into_text(_ADDRESS.sub(address, swapped).replace("\0", ""))
