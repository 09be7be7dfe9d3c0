"""A pasted HTML body made fit for mail: what may stay stays, what goes is told with its line."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Final

import css_inline
import nh3

from newsletter.content import (
    allowed_markup,
    html_tokens,
    outlook_comments,
    style_sheets,
    web_addresses,
)
from newsletter.content.attributes import attributes
from newsletter.content.errors import SourceError
from newsletter.content.html_tokens import HtmlToken, Kind
from newsletter.content.liquid_tags import Tag, Tags
from newsletter.content.source_places import Places

MOST_TOLD: Final = 60
_ON_THE_BODY: Final = {"bgcolor": "background-color", "text": "color"}
_KEPT_COMMENT: Final = re.compile(r"<!--kept:(\d+)-->")


@dataclass
class Fragment:
    """A clean body: its HTML, the style sheet that belongs to it, and what was taken out."""

    html: str
    styles: str = ""
    taken_out: list[SourceError] = field(default_factory=list)


def cleaned(source: str, tags: Tags, arranged: Callable[[str], str]) -> Fragment:
    """Return an HTML body clean, its styles inlined and confined to it (M-14).

    `arranged` is done with its HTML once tags are comments and before a parser sees it.
    """
    reader = _Body(source, tags)
    reader.read()
    html = arranged(tags.as_comments("".join(reader.out)))
    if reader.inlined or reader.kept or reader.wrapper:
        html = f"<div{reader.opening}>{html}</div>"
    if reader.inlined:
        html = css_inline.inline_fragment(html, "\n".join(reader.inlined))
    html = sanitised(html, reader.mso_properties).replace(reader.chosen, "")
    html = _KEPT_COMMENT.sub(lambda match: reader.comments[int(match[1])], html)
    return Fragment(html, "\n".join(reader.kept), reader.told())


def sanitised(html: str, mso_properties: frozenset[str] = frozenset()) -> str:
    """Return HTML with nothing in it but what mail may hold; comments stay."""
    return nh3.clean(
        html,
        tags=allowed_markup.ELEMENTS,
        clean_content_tags=allowed_markup.WITH_CONTENT | {"style"},
        attributes=allowed_markup.ATTRIBUTES,
        strip_comments=False,
        link_rel=None,
        url_schemes=allowed_markup.MAY_BEGIN,
        filter_style_properties=allowed_markup.PROPERTIES | mso_properties,
    )


class _Body:
    """Reads a body once: builds what is kept, and notes what is not, with its place."""

    def __init__(self, source: str, tags: Tags) -> None:
        self.source = source
        self.tags = tags
        self.out: list[str] = []
        self.inlined: list[str] = []
        self.kept: list[str] = []
        self.comments: list[str] = []
        self.wrapper: dict[str, str] = {}
        self.chosen = f"https://{tags.add(Tag(''))}/"
        self.mso_properties = frozenset(
            name.lower() for name in re.findall(r"mso-[a-z-]+", source, re.IGNORECASE)
        )
        self._places = Places(source, tags, field="body")
        self._told: dict[str, list[int]] = {}
        self._gone: list[str] = []
        self._media = ""

    @property
    def opening(self) -> str:
        """Return the attributes of the element around the body."""
        classes = f"{allowed_markup.SCOPE} {self.wrapper.get('class', '')}".strip()
        values = {**self.wrapper, "class": classes}
        return "".join(f' {name}="{escape(value)}"' for name, value in values.items())

    def read(self) -> None:
        """Read the whole body."""
        listed = list(html_tokens.tokens(self.source))
        outlook = outlook_comments.paired(self.source, listed, self.tags, self._tell)
        for token in listed:
            text = self.source[token.start : token.end]
            if self._gone and not (token.kind is Kind.END and token.name == self._gone[-1]):
                self._nest(token)
                continue
            match token.kind:
                case Kind.TEXT:
                    self.out.append(text)
                case Kind.RAW if token.name == "style":
                    self._style(token, text)
                case Kind.START | Kind.END:
                    self._tag(token, text)
                case Kind.COMMENT | Kind.DECLARATION if token.start in outlook:
                    self.out.append(f"<!--kept:{len(self.comments)}-->")
                    self.comments.append(outlook[token.start])
                case Kind.CDATA:
                    self._tell(token.start, "<![CDATA[…]]>: HTML has no such thing")
                case Kind.UNCLOSED:
                    self._tell(token.start, f"{text[:40]}: a tag that never ends")

    def told(self) -> list[SourceError]:
        """Return what was taken out, each kind once, at the first of its places."""
        listed = []
        for message, places in list(self._told.items())[:MOST_TOLD]:
            more = f" ({len(places)} times, the first is here)" if len(places) > 1 else ""
            listed.append(SourceError("body", message + more, *self._places.of(places[0])))
        return sorted(listed, key=lambda fault: (fault.line or 0, fault.column or 0))

    def _tell(self, index: int, message: str) -> None:
        self._told.setdefault(message, []).append(index)

    def _nest(self, token: HtmlToken) -> None:
        """Follow elements of the same name within one that goes with its content."""
        if token.name == self._gone[-1] and token.kind is Kind.START:
            self._gone.append(token.name)

    def _tag(self, token: HtmlToken, text: str) -> None:
        name = token.name
        if token.kind is Kind.END:
            if self._gone:
                self._gone.pop()
            elif name in allowed_markup.ELEMENTS:
                self.out.append(f"</{name}>")
            return
        if name in allowed_markup.WITH_CONTENT:
            self._tell(token.start, f"<{name}> and what stands in it: {_why(name)}")
            if not text.endswith("/>") or name not in ("svg", "math"):
                self._gone.append(name)
        elif name == "style":
            self._media = dict(attributes(text)).get("media", "")
        elif name == "body":
            self._on_the_body(token, text)
        elif name not in allowed_markup.ELEMENTS:
            if name not in allowed_markup.PASSED_OVER:
                self._tell(token.start, f"<{name}>: {_why(name)}")
        else:
            self.out.append(self._kept_tag(token, text))

    def _kept_tag(self, token: HtmlToken, text: str) -> str:
        kept = [f"<{token.name}"]
        for name, value in attributes(text):
            reason = refused_attribute(token.name, name, value, self.tags)
            if reason is not None:
                self._tell(token.start, reason)
                continue
            if name == "style":
                value = self._kept_style(token.start, value)
            elif name in allowed_markup.ADDRESSES and self._is_for_the_checks(value):
                value = self.chosen + value
            kept.append(f'{name}="{escape(value)}"')
        return " ".join(kept) + ">"

    def _is_for_the_checks(self, address: str) -> bool:
        """Say whether the sanitiser would drop an address that is chosen, or only broken."""
        scheme = web_addresses.scheme(address)
        return (
            bool(self.tags.word.match(address.strip()))
            or bool(scheme and scheme not in allowed_markup.MAY_BEGIN)
            or (scheme in ("http", "https") and web_addresses.asked_for(address) is None)
        )

    def _kept_style(self, index: int, style: str) -> str:
        kept, taken_out = style_sheets.cleaned(style)
        for message in taken_out:
            self._tell(index, message)
        return kept

    def _style(self, token: HtmlToken, css: str) -> None:
        if self._media:
            css = f"@media {self._media} {{{css}}}"
        sheet = style_sheets.confined(css, f".{allowed_markup.SCOPE}")
        self.inlined += [sheet.inlined] if sheet.inlined else []
        self.kept += [sheet.kept] if sheet.kept else []
        lines = [0]
        for taken in sheet.taken_out:
            while len(lines) < taken.line:
                lines.append(css.find("\n", lines[-1]) + 1)
            self._tell(token.start + lines[taken.line - 1] + taken.column - 1, taken.message)

    def _on_the_body(self, token: HtmlToken, text: str) -> None:
        """Keep on the element around a body what its author said of it."""
        styles = []
        for name, value in attributes(text):
            if name in _ON_THE_BODY and re.fullmatch(r"#?\w+", value):
                styles.append(f"{_ON_THE_BODY[name]}: {value}")
            elif name == "style":
                styles.append(self._kept_style(token.start, value))
            elif name in ("class", "dir", "lang", "background"):
                reason = refused_attribute("body", name, value, self.tags)
                if reason is None:
                    self.wrapper[name] = value
                else:
                    self._tell(token.start, reason)
        if styles:
            self.wrapper["style"] = "; ".join(styles)


def refused_attribute(element: str, name: str, value: str, tags: Tags) -> str | None:
    """Say why an attribute does not stay, None where it does."""
    allowed = allowed_markup.ATTRIBUTES
    if tags.word.search(name):
        return None  # told as a tag that would be lost
    if name not in allowed["*"] | allowed.get(element, set()):
        if name.startswith("on"):
            return f"{name} of <{element}>: nothing in a mail may act"
        return f"{name} of <{element}>: mail programs do not know it"
    if name in allowed_markup.ADDRESSES and not tags.word.match(value.strip()):
        parts = value.split(",") if name == "srcset" else [value]
        reasons = (_refused_address(element, name, part) for part in parts)
        return next((reason for reason in reasons if reason is not None), None)
    return None


def _refused_address(element: str, name: str, address: str) -> str | None:
    scheme = web_addresses.scheme(address)
    if scheme == "data":
        return (
            f"a picture written into the mail as data: ({name} of <{element}>): most mail"
            " programs show nothing there; upload it and give its address"
        )
    if not web_addresses.is_harmless([address]):
        return f"the address {address.strip()[:60]}: mail programs do not open {scheme}:"
    return None


def _why(name: str) -> str:
    match name:
        case "script" | "iframe" | "object" | "embed" | "applet":
            return "nothing in a mail may act"
        case "link":
            return "it loads from elsewhere; fonts belong in the layout"
        case "form" | "input" | "select" | "textarea" | "button" | "option" | "label":
            return "mail programs show no forms; make it a link"
        case "svg" | "math":
            return "mail programs do not show it; use a picture"
        case "meta" | "title" | "base":
            return "it belongs in the layout, or in a page of its own from <html> to </html>"
        case _:
            return "mail programs do not know it"


def without_comments(html: str, tags: Tags) -> str:
    """Return HTML without comments, save the tags of Liquid."""

    def kept() -> Iterator[str]:
        for token in html_tokens.tokens(html):
            text = html[token.start : token.end]
            if token.kind is not Kind.COMMENT or tags.comment.fullmatch(text):
                yield text

    return "".join(kept())
