"""A mail as staff may see it: every link inert, no pixel, no token."""

from dataclasses import replace
from typing import NamedTuple

from newsletter import links
from newsletter.content import link_rewriting
from newsletter.content.compiled import CompiledMail
from newsletter.rendering.inert_renderer import InertRenderer
from newsletter.rendering.splicing import Recipient
from registrants.tokens import Scope


class InertMail(NamedTuple):
    """One mail for the eyes of staff; raw is the whole message, its signed links cut short."""

    subject: str
    html: str
    text: str
    raw: bytes


def preview(compiled: CompiledMail, recipient: Recipient) -> InertMail:
    """Return the mail of one person with links that lead nowhere and say where they would."""
    base = compiled.link_base
    renderer = InertRenderer(compiled, inert=links.before_token(base, Scope.PREFERENCES) + "…")
    reader = replace(
        recipient, opens=False, clicks=False, extra=_without_tokens(recipient.extra, base)
    )
    shown = renderer.shown(reader)
    html = link_rewriting.inert(shown.html)
    return InertMail(shown.subject, html, shown.text, renderer.render(reader))


def _without_tokens(extra: dict[str, object] | None, base: str) -> dict[str, object] | None:
    """Return a letter's own values with every signed link cut off before its token."""
    if extra is None:
        return None
    return {
        name: f"{base}/…" if isinstance(value, str) and value.startswith(base) else value
        for name, value in extra.items()
    }
