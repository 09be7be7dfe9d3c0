"""A mail as staff may see it or be sent it: every link inert, no pixel, no token."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from liquid import Markup, escape

from newsletter import links
from newsletter.content import header_fields, link_rewriting
from newsletter.content.compiling import CompiledMail
from newsletter.rendering import mime
from newsletter.rendering.quoted_printable import encode
from newsletter.rendering.splicing import Fill, LinkSlot, Recipient, Segment, Values, cut
from registrants.tokens import Scope


class InertMail(NamedTuple):
    """One mail for the eyes of staff; raw is the whole message, ready for a test send."""

    subject: str
    html: str
    text: str
    raw: bytes


def preview(compiled: CompiledMail, recipient: Recipient) -> InertMail:
    """Return the mail of one person with links that lead nowhere and say where they would."""
    base = compiled.link_base
    own = links.before_token(base, Scope.PREFERENCES) + "…" if compiled.kind == "campaign" else ""
    values = Values(
        compiled.constants,
        lambda _: own,
        lambda _: {"_link": compiled.links, "_pixel": Markup("")},
    )
    shown = replace(recipient, extra=_without_tokens(recipient.extra, base))

    def made(source: str, *, html: bool) -> str:
        return "".join(_texts(cut(source, html=html, values=values), shown, compiled))

    subject = header_fields.one_line(made(compiled.subject, html=False))
    html = link_rewriting.inert(made(compiled.html, html=True))
    text = made(compiled.text, html=False)
    return InertMail(subject, html, text, _raw(compiled, shown, subject, text, html))


def _raw(compiled: CompiledMail, recipient: Recipient, subject: str, text: str, html: str) -> bytes:
    identifier = f"<test.{secrets.token_hex(12)}@{compiled.message_id_domain}>"
    varying = mime.Varying(
        to=mime.to(recipient),
        subject=mime.subject(subject),
        date=mime.now(),
        message_id=[identifier.encode()],
        one_click=None,
    )
    boundary = f"=_{secrets.token_hex(12)}".encode()
    pieces = [*mime.header(compiled, varying)]
    pieces += mime.body(boundary, [encode(text)], [encode(html)])
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def _texts(
    segments: Iterable[Segment], recipient: Recipient, compiled: CompiledMail
) -> Iterable[str]:
    for segment in segments:
        match segment:
            case LinkSlot(position):
                yield str(escape(compiled.links[position]))
            case Fill(_, text):
                yield text(recipient)
            case str():
                yield segment


def _without_tokens(extra: dict[str, Any] | None, base: str) -> dict[str, Any] | None:
    """Return a letter's own values with every signed link cut off before its token."""
    if extra is None:
        return None
    return {
        name: f"{base}/…" if isinstance(value, str) and value.startswith(base) else value
        for name, value in extra.items()
    }
