"""Compiled mail and a person made into bytes: static parts coded once, slots filled and joined.

Pixel and rewritten links stand only in the mail of whoever granted that measuring.
"""

import base64
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Final, NamedTuple

from markupsafe import Markup, escape

from newsletter import header_lines, hrefs, links, personalising
from newsletter.composing import CompiledMail
from newsletter.quoted_printable import SOFT, encode, encode_part
from newsletter.splicing import (
    Fill,
    Link,
    Person,
    Pixel,
    Segment,
    Unrenderable,
    Values,
    cut,
    globals_of,
    render_text,
)
from registrants import tokens

__all__ = ["Person", "Preview", "Renderer", "Unrenderable"]

PIXEL: Final = (
    '<img src="',
    '" width="1" height="1" alt="" style="display:block;width:1px;height:1px;border:0">',
)
_PART: Final = (
    b"Content-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
)

Filler = Callable[[Person], bytes]


class Slot(NamedTuple):
    """A place filled with bytes; slots with one key are filled once for each person."""

    key: str
    fill: Filler


Piece = bytes | Slot


class Preview(NamedTuple):
    """One mail as staff may see it: every link inert, no pixel, no token."""

    subject: str
    html: str
    text: str
    raw: bytes


class _Shape(NamedTuple):
    parts: list[bytes]
    date: int
    fills: list[tuple[Filler, int, tuple[int, ...]]]


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
        self.boundary = f"=_{secrets.token_hex(12)}"
        self._one_click, self._own = tokens.maker("u"), tokens.maker("p")
        self._pixel, self._click = tokens.maker("i"), tokens.maker("l")
        values = Values(compiled.constants, self._preferences, self._measured)
        self._subject = cut(compiled.subject, html=False, values=values)
        self._text = cut(compiled.text, html=False, values=values)
        self._html = cut(compiled.html, html=True, values=values)
        self._shapes: dict[tuple[bool, bool], _Shape] = {}

    def render(self, person: Person, *, date: bytes | None = None) -> bytes:
        """Return the whole message for one person, CRLF line ends throughout.

        Raises Unrenderable where a value cannot stand where the author put it.
        """
        wanted = (person.opens, person.clicks)
        shape = self._shapes.get(wanted) or self._shape(*wanted)
        parts = shape.parts.copy()
        parts[shape.date] = date or _now(int(time.time()))
        for fill, index, more in shape.fills:
            filled = parts[index] = fill(person)
            for other in more:
                parts[other] = filled
        return b"".join(parts)

    def preview(self, person: Person) -> Preview:
        """Return the mail as staff may see or be sent it: inert links, no pixel, no token."""
        base = self.compiled.link_base
        own = "" if self.compiled.kind != "campaign" else f"{base}/p/…"
        values = Values(self.compiled.constants, lambda _: own, self._unmeasured)
        shown = person._replace(extra=_without_tokens(person.extra, base))
        subject, text, html = (
            "".join(map(_still, _texts(cut(source, html=is_html, values=values), shown, self.compiled)))
            for source, is_html in (
                (self.compiled.subject, False),
                (self.compiled.text, False),
                (self.compiled.html, True),
            )
        )
        subject, html = header_lines.one_line(subject), hrefs.inert(html)
        identifier = f"<test.{secrets.token_hex(12)}@{self.compiled.message_id_domain}>"
        fields = self._fields(
            [_to(person)], [_subject_line(subject)], [identifier.encode()], [_now(int(time.time()))]
        )
        pieces = [*fields, *self._body([encode(text)], [encode(html)])]
        raw = b"".join(piece for piece in pieces if isinstance(piece, bytes))
        return Preview(subject, html, text, raw)

    def _shape(self, opens: bool, clicks: bool) -> _Shape:
        """Prepare one of the four variants, coded for transfer."""
        date = Slot("date", lambda person: b"")
        fields = self._fields(
            [Slot("to", _to)],
            [self._subject_piece()],
            [Slot("message-id", self._message_id)],
            [date],
            one_click=[Slot("one-click", self._list_unsubscribe)],
        )
        text = _coded(self._text, self._slots(opens=False, clicks=False), "text")
        html = _coded(self._html, self._slots(opens=opens, clicks=clicks), "html")
        shape = _shaped([*fields, *self._body(text, html)], date)
        self._shapes[opens, clicks] = shape
        return shape

    def _fields(
        self,
        to: list[Piece],
        subject: list[Piece],
        message_id: list[Piece],
        date: list[Piece],
        one_click: list[Piece] | None = None,
    ) -> list[Piece]:
        """Return the header of the message, each field exactly once (M-2, U-8)."""
        known = self.compiled.headers
        head: list[Piece] = [
            b"From: " + header_lines.sender(known["from_name"], known["from_address"]),
            b"\r\nTo: ", *to,
            b"\r\nReply-To: " + header_lines.mailbox(known["reply_to"]),
            b"\r\nSubject: ", *subject,
            b"\r\nDate: ", *date,
            b"\r\nMessage-ID: ", *message_id,
            b"\r\nMIME-Version: 1.0\r\n",
        ]  # fmt: skip
        if self.compiled.kind == "campaign":
            if one_click is not None:
                head += [b"List-Unsubscribe: <", *one_click, b">\r\n"]
                head += [b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"]
            head += [b"List-Id: " + header_lines.list_id(known["list_id"]) + b"\r\n"]
            head += [b"List-Help: <mailto:" + header_lines.mailbox(known["reply_to"]) + b">\r\n"]
            head += [b"List-Post: NO\r\n"]
        else:
            head += [b"Auto-Submitted: auto-generated\r\n"]
        if known["feedback_id"]:
            head += [b"Feedback-ID: " + known["feedback_id"].encode() + b"\r\n"]
        return [*head, b"X-Auto-Response-Suppress: OOF, AutoReply\r\n"]

    def _body(self, text: list[Piece], html: list[Piece]) -> list[Piece]:
        """Return both parts, text first (M-7), between boundaries quoted-printable cannot hold."""
        line = b"--" + self.boundary.encode()
        kind = b'Content-Type: multipart/alternative;\r\n boundary="%b"\r\n\r\n'
        return [
            kind % self.boundary.encode() + line + b"\r\n" + _PART % b"plain", *text,
            b"\r\n" + line + b"\r\n" + _PART % b"html", *html,
            b"\r\n" + line + b"--\r\n",
        ]  # fmt: skip

    def _slots(self, *, opens: bool, clicks: bool) -> Callable[[Segment], list[str | Slot]]:
        """Return what stands for each segment in one variant."""
        base = self.compiled.link_base

        def found(segment: Segment) -> list[str | Slot]:
            match segment:
                case Link(position) if clicks:
                    number = self.link_ids[position]
                    return [_token_slot(f"{base}/l/", "l", number)]
                case Link(position):
                    return [str(escape(self.compiled.links[position]))]
                case Pixel():
                    return [PIXEL[0], _token_slot(f"{base}/i/", "i", 0), PIXEL[1]] if opens else []
                case Fill(key, text):
                    return [Slot(key, lambda person: encode_part(text(person)))]
                case _:
                    return [segment]

        return found

    def _subject_piece(self) -> Piece:
        segments = self._subject
        if all(isinstance(segment, str) for segment in segments):
            return _subject_line(header_lines.one_line("".join(map(str, segments))))
        return Slot(
            "subject",
            lambda person: _subject_line(header_lines.one_line(render_text(segments, person))),
        )

    def _list_unsubscribe(self, person: Person) -> bytes:
        if person.subscription is None:
            raise Unrenderable("a campaign needs the subscription it goes to")
        token = self._one_click(person.subscription, self.mailing)
        return f"{self.compiled.link_base}/u/{token}".encode()

    def _preferences(self, person: Person) -> str:
        if person.subscription is None:
            return ""
        return f"{self.compiled.link_base}/p/{self._own(person.subscription, self.mailing)}"

    def _message_id(self, person: Person) -> bytes:
        return links.message_id(person.delivery, self.compiled.message_id_domain).encode()

    def _measured(self, person: Person) -> dict[str, Any]:
        """Return the links and the pixel of one person, for nodes Liquid renders itself."""
        base, pixel = self.compiled.link_base, Markup("")
        addresses = self.compiled.links
        if person.clicks:
            addresses = [f"{base}/l/{self._click(person.delivery, one)}" for one in self.link_ids]
        if person.opens:
            pixel = Markup(f"{base}/i/{self._pixel(person.delivery, 0)}".join(PIXEL))
        return {"_link": addresses, "_pixel": pixel}

    def _unmeasured(self, person: Person) -> dict[str, Any]:
        return {"_link": self.compiled.links, "_pixel": Markup("")}


def _token_slot(start: str, scope: str, detail: int) -> Slot:
    make, code, before = tokens.byte_maker(scope), base64.urlsafe_b64encode, start.encode()
    return Slot(
        f"{scope} {detail}",
        lambda person: before + code(make(person.delivery, detail))[: tokens.LENGTH],
    )


def _to(person: Person) -> bytes:
    try:
        address = header_lines.mailbox(person.address)
    except header_lines.Unfit as error:
        raise Unrenderable(f"To: {error}") from None
    return address if len(address) < 72 else b"\r\n " + address


def _subject_line(subject: str) -> bytes:
    return header_lines.unstructured(subject, used=len("Subject: "))


@lru_cache(maxsize=4)
def _now(second: int) -> bytes:
    return formatdate(second).encode()


def _coded(
    segments: Iterable[Segment], found: Callable[[Segment], list[str | Slot]], name: str
) -> list[Piece]:
    """Return segments coded for transfer, a soft line break at each slot's edge (RFC 2045 §6.7)."""
    out: list[Piece] = []
    text, after_slot = "", False
    for item in (item for segment in segments for item in found(segment)):
        if isinstance(item, str):
            text += item
            continue
        before = (SOFT if after_slot else b"") + encode(text)
        starts_line = before.endswith(b"\r\n") or not before
        out += [before if starts_line else before + SOFT, item._replace(key=f"{name} {item.key}")]
        text, after_slot = "", True
    return [*out, (SOFT if after_slot else b"") + encode(text)]


def _shaped(pieces: list[Piece], date: Slot) -> _Shape:
    """Return pieces as bytes with gaps, neighbours joined, and how the gaps are filled."""
    parts: list[bytes] = []
    places: dict[str, tuple[Filler, list[int]]] = {}
    joined = False
    for piece in pieces:
        if isinstance(piece, Slot):
            places.setdefault(piece.key, (piece.fill, []))[1].append(len(parts))
            parts.append(b"")
            joined = False
        elif joined:
            parts[-1] += piece
        else:
            parts.append(piece)
            joined = True
    at = places.pop(date.key)[1][0]
    return _Shape(parts, at, [(fill, spots[0], tuple(spots[1:])) for fill, spots in places.values()])


def _texts(
    segments: Iterable[Segment], person: Person, compiled: CompiledMail
) -> Iterable[str]:
    for segment in segments:
        match segment:
            case Link(position):
                yield str(escape(compiled.links[position]))
            case Fill(_, text):
                yield text(person)
            case str():
                yield segment


def _still(text: str) -> str:
    return text


def _without_tokens(extra: dict[str, Any] | None, base: str) -> dict[str, Any] | None:
    """Return a letter's own values with every signed link cut off before its token."""
    if extra is None:
        return None
    return {
        name: f"{base}/…" if isinstance(value, str) and value.startswith(base) else value
        for name, value in extra.items()
    }
