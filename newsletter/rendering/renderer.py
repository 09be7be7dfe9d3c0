"""Compiled mail and a person made into bytes: static parts coded once, slots filled and joined.

Pixel and rewritten links stand only in the mail of whoever granted that measuring.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Final

from liquid import Markup, escape

from newsletter import links
from newsletter.content import header_fields
from newsletter.content.compiling import CompiledMail
from newsletter.rendering import mime
from newsletter.rendering.mime import Piece, Shape, Slot
from newsletter.rendering.quoted_printable import encode_part
from newsletter.rendering.splicing import (
    Fill,
    LinkSlot,
    PixelSlot,
    Recipient,
    Segment,
    Unrenderable,
    Values,
    cut,
    render_text,
)
from registrants.tokens import Scope
from registrants.tokens.bulk import many_maker

__all__ = ["Recipient", "Renderer", "Unrenderable"]

Variant = tuple[Shape, Callable[[int], list[bytes]]]

PIXEL_IMAGE: Final = (
    '<img src="',
    '" width="1" height="1" alt="" style="display:block;width:1px;height:1px;border:0">',
)


class Renderer:
    """One mailing (or kind of letter), ready to be made for any number of persons."""

    def __init__(
        self, compiled: CompiledMail, *, mailing: int = 0, link_ids: Sequence[int] = ()
    ) -> None:
        """Prepare a mailing; raises ValueError unless there is one link id per position."""
        if len(link_ids) != len(compiled.links):
            raise ValueError("each link of the mail needs its id, in order of position")
        self.compiled = compiled
        self.mailing = mailing
        self.link_ids = list(link_ids)
        self.boundary = f"=_{secrets.token_hex(12)}".encode()
        self._sign()
        values = Values(compiled.constants, self._preferences, self._measured)
        self._subject = cut(compiled.subject, html=False, values=values)
        self._text = cut(compiled.text, html=False, values=values)
        self._html = cut(compiled.html, html=True, values=values)
        self._shapes: dict[tuple[bool, bool], Variant] = {}

    def _sign(self) -> None:
        """Prepare what signs the links of a person."""
        self._one_click, self._own, self._pixel, self._click = (
            links.url_maker(self.compiled.link_base, scope)
            for scope in (Scope.UNSUBSCRIBE, Scope.PREFERENCES, Scope.PIXEL, Scope.CLICK)
        )

    def render(self, recipient: Recipient, *, date: bytes | None = None) -> bytes:
        """Return the whole message for one person, CRLF line ends throughout.

        Raises Unrenderable where a value cannot stand where the author put it.
        """
        wanted = (recipient.opens, recipient.clicks)
        shape, delivery_tokens = self._shapes.get(wanted) or self._shape(*wanted)
        parts = shape.parts.copy()
        parts[shape.date] = date or mime.now()
        for fill, index, more in shape.fills:
            filled = parts[index] = fill(recipient)
            for other in more:
                parts[other] = filled
        for place, token in zip(
            shape.token_places, delivery_tokens(recipient.delivery), strict=True
        ):
            parts[place] = token
        return b"".join(parts)

    def _shape(self, opens: bool, clicks: bool) -> Variant:
        """Prepare one of the four variants, coded for transfer."""
        varying = mime.Varying(
            to=Slot("to", self._to),
            subject=self._subject_piece(),
            date=Slot("date", lambda _: b""),
            message_id=[
                b"<",
                self._identifier(),
                f"@{self.compiled.message_id_domain}>".encode(),
            ],
            one_click=Slot("one-click", self._list_unsubscribe),
        )
        text = mime.coded(self._text, self._slots(opens=False, clicks=False), "text")
        html = mime.coded(self._html, self._slots(opens=opens, clicks=clicks), "html")
        shape = mime.shaped(
            [*mime.header(self.compiled, varying), *mime.body(self.boundary, text, html)]
        )
        make = many_maker(shape.tokens) if shape.tokens else _no_tokens
        self._shapes[opens, clicks] = variant = (shape, make)
        return variant

    def _slots(self, *, opens: bool, clicks: bool) -> Callable[[Segment], list[str | Slot]]:
        """Return what stands for each segment in one variant."""

        def found(segment: Segment) -> list[str | Slot]:
            match segment:
                case LinkSlot(position) if clicks:
                    return self._click_slot(position)
                case LinkSlot(position):
                    return [str(escape(self.compiled.links[position]))]
                case PixelSlot():
                    return [PIXEL_IMAGE[0], *self._pixel_slot(), PIXEL_IMAGE[1]] if opens else []
                case Fill(key, text):
                    return [Slot(key, lambda recipient: encode_part(text(recipient)))]
                case _:
                    return [segment]

        return found

    def _click_slot(self, position: int) -> list[str | Slot]:
        start = links.before_token(self.compiled.link_base, Scope.CLICK)
        return [start, _token(Scope.CLICK, self.link_ids[position])]

    def _pixel_slot(self) -> list[str | Slot]:
        return [links.before_token(self.compiled.link_base, Scope.PIXEL), _token(Scope.PIXEL)]

    def _identifier(self) -> Piece:
        return _token(Scope.MESSAGE_ID)

    def _to(self, recipient: Recipient) -> bytes:
        return mime.to(recipient)

    def _subject_piece(self) -> Piece:
        segments = self._subject
        if all(isinstance(segment, str) for segment in segments):
            return self._titled("".join(map(str, segments)))
        return Slot("subject", lambda recipient: self._titled(render_text(segments, recipient)))

    def _titled(self, text: str) -> bytes:
        """Return the value of the Subject field."""
        return mime.subject(header_fields.one_line(text))

    def _list_unsubscribe(self, recipient: Recipient) -> bytes:
        if recipient.subscription is None:
            raise Unrenderable("a campaign needs the subscription it goes to")
        return self._one_click(recipient.subscription, self.mailing).encode()

    def _preferences(self, recipient: Recipient) -> str:
        if recipient.subscription is None:
            return ""
        return self._own(recipient.subscription, self.mailing)

    def _measured(self, recipient: Recipient) -> dict[str, object]:
        """Return the links and the pixel of one person, for nodes Liquid renders itself."""
        pixel = Markup("")
        addresses = self.compiled.links
        if recipient.clicks:
            addresses = [self._click(recipient.delivery, link_id) for link_id in self.link_ids]
        if recipient.opens:
            pixel = Markup(self._pixel(recipient.delivery, 0).join(PIXEL_IMAGE))
        return {"_link": addresses, "_pixel": pixel}


def _token(scope: Scope, detail: int = 0) -> Slot:
    """Return the place of a token that names the delivery."""
    return Slot(f"{scope} {detail}", _nothing, (scope, detail))


def _no_tokens(delivery: int) -> list[bytes]:
    """Return no tokens: none stands in this mail."""
    return []


def _nothing(recipient: Recipient) -> bytes:
    """Fill nothing: the tokens of one delivery are made all at once."""
    return b""
