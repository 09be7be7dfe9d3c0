"""What may not stand in a layout or in MJML: whatever acts, submits or loads by itself (M-14)."""

import re
from collections.abc import Iterator
from typing import Final

from newsletter.content import html_tokens
from newsletter.content.attributes import attributes
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.content.html_tokens import HtmlToken, Kind
from newsletter.content.liquid_tags import Tags
from newsletter.content.source_places import Places

_CONDITION: Final = re.compile(r"<!--\[if[^\]<>]{0,200}\]>", re.IGNORECASE)
_HANDLER: Final = re.compile(r"[\s\"'/]on[a-z]+\s*=", re.IGNORECASE)
_HANDLER_NAME: Final = re.compile(r"on[a-z]+")
_NESTING: Final = re.compile(r"<!--|<mj-", re.IGNORECASE)
_WEB: Final = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_MADE_RAW: Final = frozenset({"mj-preview", "mj-style", "mj-title"})
"""Elements of MJML whose content will stand where a comment is none."""
_FORBIDDEN: Final = frozenset(
    {"applet", "embed", "form", "frame", "frameset", "iframe", "object", "script"}
)
_RELATIONS: Final = frozenset(
    {"alternate", "canonical", "dns-prefetch", "icon", "preconnect", "preload", "stylesheet"}
)
_LINK: Final = "<link> may name fonts and styles by a whole address, nothing else"
_BASE: Final = "<base href> would change where every link leads; write whole addresses instead"
_BUTTON: Final = "<button> does nothing in mail; make it a link, <a href=…>, that looks like one"
_INPUT: Final = "<input> submits nothing in mail; only checkboxes and radio buttons may stand there"


def refuse_active(html: str, tags: Tags, *, field: str) -> None:
    """Raise SourceErrors where HTML or MJML has anything that acts, submits or loads by itself."""
    places = Places(html, tags, field=field)
    faults = [SourceError(field, message, *places.of(index)) for index, message in _acting(html)]
    if faults:
        raise SourceErrors(faults)


def _acting(html: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """Yield where each thing refused stands, and why, what Outlook alone reads included."""
    for token in html_tokens.tokens(html):
        text, at = html[token.start : token.end], start + token.start
        match token.kind:
            case Kind.START | Kind.UNCLOSED:
                if message := _fault(token, text):
                    yield at, message
            case Kind.COMMENT if condition := _CONDITION.match(text):
                yield from _acting(_flat(text[condition.end() :]), at + condition.end())
            case Kind.RAW if token.name in _MADE_RAW:  # a comment will be none there
                yield from _acting(_flat(text), at)


def _flat(text: str) -> str:
    """Return a text of the same length in which no comment and no element of MJML begins."""
    return _NESTING.sub(lambda match: "    " if match[0] == "<!--" else "<zz-", text)


def _fault(token: HtmlToken, text: str) -> str:
    """Return what is wrong with a start tag; empty where nothing is."""
    name, values = token.name, dict(reversed(list(attributes(text))))
    acts = any(_HANDLER_NAME.fullmatch(key) for key in values)
    refreshes = name == "meta" and values.get("http-equiv", "").strip().lower() == "refresh"
    if acts or refreshes or (token.kind is Kind.UNCLOSED and _HANDLER.search(text)):
        return _not_allowed(text)
    if name in _FORBIDDEN:
        return _not_allowed(f"<{name}>")
    if name == "base" and "href" in values:
        return _BASE
    if name == "button":
        return _BUTTON
    if name == "input" and values.get("type", "").lower() not in ("checkbox", "radio"):
        return _INPUT
    relations = set(values.get("rel", "").lower().split())
    if name == "link" and not (relations & _RELATIONS and _WEB.match(values.get("href", ""))):
        return _LINK
    return ""


def _not_allowed(what: str) -> str:
    return f"{what[:40]} is not allowed in mail"
