"""The links of a page: which are rewritten where clicks may be measured, which never are."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Final

from newsletter.content import html_tokens, web_addresses
from newsletter.content.attributes import attributes, with_attributes
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.content.html_tokens import Kind
from newsletter.content.liquid_tags import Tag, Tags, with_filter

OWN_LINKS: Final = frozenset({"unsubscribe_url", "preferences_url"})
_URL_NAMES: Final = frozenset(
    {"href", "src", "background", "action", "poster", "cite", "longdesc", "xlink:href", "ping"}
) | {"formaction", "lowsrc", "dynsrc", "srcset"}
_OUR_FILTER: Final = re.compile(r" \| _(?:whole|in)_url ")
_LINKING: Final = re.compile(r"<(?:a|area)(?=[\s/>])", re.I)
_DRAWN: Final = re.compile(r"<v:", re.I)
"""Outlook's own drawing (VML), which may lead somewhere too."""


@dataclass
class LinkFound:
    """The links of one page in order of position."""

    rewritable: list[str] = field(default_factory=list)
    personal: list[str] = field(default_factory=list)


def checked(html: str, tags: Tags) -> str:
    """Return the page with every personal value in an address filtered by its place (S-6).

    Raises SourceErrors for personal values in styles and for addresses that act.
    """
    faults: list[SourceError] = []
    for style in _styles(html):
        matches = tags.word.finditer(style)
        faults += [tags.of(word).fault("may not stand in a style") for word in matches]

    def one(name: str, value: str) -> str:
        if name == "style" or name.startswith("on"):
            matches = tags.word.finditer(value)
            faults.extend(tags.of(word).fault(f"may not stand in {name}") for word in matches)
        if name not in _URL_NAMES:
            return value
        if not web_addresses.is_harmless(tags.word.split(value)[::2]):
            as_written = tags.word.sub(lambda word: tags.of(word).text, value)
            faults.append(
                SourceError("body", f"the address {as_written[:60]} is not allowed in mail")
            )
        return _filtered(value if name == "srcset" else _encoded(value, tags), tags)

    page = _with_tags(html, lambda tag: with_attributes(tag, one))
    if faults:
        raise SourceErrors(faults)
    return page


def rewritable(html: str, tags: Tags, *, base: str) -> tuple[str, LinkFound]:
    """Return the page with a slot for each link that may be rewritten, and all links found."""
    links = LinkFound()

    def one(name: str, value: str) -> str:
        if name != "href":
            return value
        if tags.word.search(value):
            if not _is_own(value, tags):
                as_written = tags.word.sub(lambda word: tags.of(word).text, value)
                links.personal.append(_OUR_FILTER.sub(" ", as_written))
            return value
        address = web_addresses.asked_for(value)
        if address is None or f"{address}/".startswith(f"{base}/"):
            return value
        links.rewritable.append(address)
        return tags.add(Tag(f"{{{{ _link[{len(links.rewritable) - 1}] }}}}"))

    page = _with_tags(
        html,
        lambda tag: with_attributes(tag, one) if _LINKING.match(tag) else tag,
        in_comments=False,
    )
    return page, links


def with_pixel(html: str, tags: Tags) -> str:
    """Return the page with the pixel's slot at its top, where no clipping reaches (M-6)."""
    word = tags.add(Tag("{{ _pixel }}"))
    for token in html_tokens.tokens(html):
        if token.kind is Kind.START and token.name == "body":
            return html[: token.end] + word + html[token.end :]
    return html


def led_to(html: str, tags: Tags, address: str) -> str:
    """Return a page whose links all lead to one address, save those that have a slot already."""

    def one(name: str, value: str) -> str:
        if name != "href" or value.startswith("#") or _is_slot(value, tags):
            return value
        return address

    def led(tag: str) -> str:
        return with_attributes(tag, one) if _LINKING.match(tag) or _DRAWN.match(tag) else tag

    return _with_tags(html, led)


def _is_slot(value: str, tags: Tags) -> bool:
    match = tags.word.fullmatch(value)
    expression = tags.of(match).expression if match else ""
    return expression in OWN_LINKS or expression.startswith("_link[")


def inert(html: str) -> str:
    """Return a page in which no link leads anywhere: each says where it would go."""

    def nowhere(name: str, value: str) -> str:
        return "#" if name == "href" else value

    def dead(tag: str) -> str:
        start = _LINKING.match(tag)
        if start is None:
            return with_attributes(tag, nowhere) if _DRAWN.match(tag) else tag
        values = dict(reversed(list(attributes(tag))))
        address = values.pop("href", "")
        kept = "".join(
            f' {name}="{escape(value)}"'
            for name, value in reversed(values.items())
            if name not in ("title", "target", "ping")
        )
        title = f"would go to {address}" if address else "leads nowhere"
        return f'{start[0]} href="#" title="{escape(title)}"{kept}>'

    return _with_tags(html, dead)


def _styles(html: str) -> Iterator[str]:
    for token in html_tokens.tokens(html):
        text = html[token.start : token.end]
        if token.kind is Kind.RAW and token.name == "style":
            yield text
        elif token.kind is Kind.COMMENT and (inner := html_tokens.conditional(text)):
            yield from _styles(text[slice(*inner)])


def _with_tags(html: str, change: Callable[[str], str], *, in_comments: bool = True) -> str:
    """Return HTML with its start tags changed, also those that Outlook alone reads."""
    out: list[str] = []
    for token in html_tokens.tokens(html):
        text = html[token.start : token.end]
        if token.kind is Kind.START:
            text = change(text)
        elif token.kind is Kind.COMMENT and in_comments:
            inner = html_tokens.conditional(text)
            if inner is not None:
                start, end = inner
                text = text[:start] + _with_tags(text[start:end], change) + text[end:]
        out.append(text)
    return "".join(out)


def _encoded(value: str, tags: Tags) -> str:
    """Return an address as a browser would ask for it, the words of tags left in their places."""
    written = tags.word.findall(value)
    asked = web_addresses.asked_for(value)
    if asked is not None and tags.word.findall(asked) == written:
        return asked
    if not written or web_addresses.scheme(tags.word.split(value)[0]):
        return web_addresses.tidy(value)
    pieces = tags.word.sub(lambda word: f"\n{word[0]}\n", value).split("\n")
    return "".join(
        piece if tags.word.fullmatch(piece) else web_addresses.encoded(piece.strip())
        for piece in pieces
    )


def _filtered(value: str, tags: Tags) -> str:
    """Return an address with its outputs filtered: the first may bring a scheme, the rest not."""
    deciding = any(not tags.of(word).is_output for word in tags.word.finditer(value))

    def one(word: re.Match[str]) -> str:
        tag = tags.of(word)
        if not tag.is_output or tag.expression in OWN_LINKS:
            return word[0]
        first = deciding or not value[: word.start()].strip()
        return tags.add(with_filter(tag, "_whole_url" if first else "_in_url"))

    return tags.word.sub(one, value)


def _is_own(value: str, tags: Tags) -> bool:
    match = tags.word.fullmatch(value.strip())
    return match is not None and tags.of(match).expression in OWN_LINKS
