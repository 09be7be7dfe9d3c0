"""The frame of a message: its header, each field once, and its two parts between boundaries."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final, NamedTuple

from newsletter.content import header_fields
from newsletter.content.compiling import CompiledMail
from newsletter.rendering.quoted_printable import SOFT, encode
from newsletter.rendering.splicing import OWN_LINK_KEY, Recipient, Segment, Unrenderable
from registrants.tokens import Scope

Filler = Callable[[Recipient], bytes]

_PART: Final = (
    b"Content-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
)


class Slot(NamedTuple):
    """A place filled with bytes; slots with one key are filled once for each person."""

    key: str
    fill: Filler
    token: tuple[Scope, int] | None = None
    """Scope and detail of the token of this delivery that belongs here; all are made together."""


Piece = bytes | Slot


class Varying(NamedTuple):
    """The header fields' values that differ from person to person, as bytes or as slots."""

    to: Piece
    subject: Piece
    date: Piece
    message_id: list[Piece]
    one_click: Piece


class Shape(NamedTuple):
    """A message as bytes with gaps, where its date goes, and what fills which gaps."""

    parts: list[bytes]
    date: int
    fills: list[tuple[Filler, int, tuple[int, ...]]]
    tokens: list[tuple[Scope, int]]
    """Scope and detail of the delivery's tokens that stand in it, ..."""
    token_places: list[int]
    """... and their gaps, in the same order; a link that stands twice is here twice."""


def header(compiled: CompiledMail, varying: Varying) -> list[Piece]:
    """Return the header of a message, each field exactly once (M-2, U-8)."""
    known = compiled.headers
    head: list[Piece] = [
        b"From: " + header_fields.sender(known["from_name"], known["from_address"]),
        b"\r\nTo: ", varying.to,
        b"\r\nReply-To: " + folded_mailbox(known["reply_to"]),
        b"\r\nSubject: ", varying.subject,
        b"\r\nDate: ", varying.date,
        b"\r\nMessage-ID: ", *varying.message_id,
        b"\r\nMIME-Version: 1.0\r\n",
    ]  # fmt: skip
    if compiled.kind == "campaign":
        head += _list_fields(compiled, varying.one_click)
    else:
        head += [b"Auto-Submitted: auto-generated\r\n"]
    if known["feedback_id"]:
        head += [b"Feedback-ID: " + known["feedback_id"].encode() + b"\r\n"]
    return [*head, b"X-Auto-Response-Suppress: OOF, AutoReply\r\n"]


def _list_fields(compiled: CompiledMail, one_click: Piece) -> list[Piece]:
    """Return the List-* fields (RFC 2369, 2919, 8058)."""
    known = compiled.headers
    fields = [
        b"List-Unsubscribe: <", one_click, b">\r\n",
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        b"List-Id: " + header_fields.list_id(known["list_id"]) + b"\r\n",
    ]  # fmt: skip
    help_address = b"<mailto:" + header_fields.mailbox(known["reply_to"]) + b">"
    space = b" " if len(help_address) < 66 else b"\r\n "
    return [*fields, b"List-Help:" + space + help_address + b"\r\nList-Post: NO\r\n"]


def body(boundary: bytes, text: list[Piece], html: list[Piece]) -> list[Piece]:
    """Return both parts, text first (M-7); a boundary with "=_" cannot occur in either."""
    line = b"--" + boundary
    kind = b'Content-Type: multipart/alternative;\r\n boundary="%b"\r\n\r\n'
    return [
        kind % boundary + line + b"\r\n" + _PART % b"plain", *text,
        b"\r\n" + line + b"\r\n" + _PART % b"html", *html,
        b"\r\n" + line + b"--\r\n",
    ]  # fmt: skip


def coded(
    segments: Iterable[Segment], items_of: Callable[[Segment], list[str | Slot]], name: str
) -> list[Piece]:
    """Return segments coded for transfer, a soft line break at each slot's edge (RFC 2045 §6.7)."""
    out: list[Piece] = []
    text, after_slot = "", False
    for item in (item for segment in segments for item in items_of(segment)):
        if isinstance(item, str):
            text += item
            continue
        before = (SOFT if after_slot else b"") + encode(text)
        starts_line = before.endswith(b"\r\n") or not before
        key = item.key if item.key == OWN_LINK_KEY else f"{name} {item.key}"
        out += [before if starts_line else before + SOFT, item._replace(key=key)]
        text, after_slot = "", True
    return [*out, (SOFT if after_slot else b"") + encode(text)]


def shaped(pieces: Iterable[Piece]) -> Shape:
    """Return pieces as bytes with gaps, neighbours joined, and how the gaps are filled."""
    parts: list[bytes] = []
    places: dict[str, tuple[Filler, list[int]]] = {}
    tokens: list[tuple[Scope, int]] = []
    token_places: list[int] = []
    joined = False
    for piece in pieces:
        if isinstance(piece, Slot):
            if piece.token is not None:
                tokens.append(piece.token)
                token_places.append(len(parts))
            else:
                places.setdefault(piece.key, (piece.fill, []))[1].append(len(parts))
            parts.append(b"")
            joined = False
        elif joined:
            parts[-1] += piece
        else:
            parts.append(piece)
            joined = True
    at = places.pop("date")[1][0]
    fills = [(fill, spots[0], tuple(spots[1:])) for fill, spots in places.values()]
    return Shape(parts, at, fills, tokens, token_places)


def to(recipient: Recipient) -> bytes:
    """Return the one address of the To field (M-4); raises Unrenderable where it is none."""
    try:
        return folded_mailbox(recipient.address)
    except header_fields.HeaderFieldError as error:
        raise Unrenderable(f"To: {error}") from None


def folded_mailbox(address: str) -> bytes:
    """Return an address for a header, on a line of its own where it is long."""
    mailbox = header_fields.mailbox(address)
    return mailbox if len(mailbox) < 66 else b"\r\n " + mailbox


def subject(text: str) -> bytes:
    """Return the value of the Subject field."""
    return header_fields.unstructured(text, used=len("Subject: "))


def now() -> bytes:
    """Return the value of the Date field for this second (M-16)."""
    return _at(int(time.time()))


@lru_cache(maxsize=4)
def _at(second: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(second, UTC)).encode()
