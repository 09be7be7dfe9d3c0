"""The links of a page: which are rewritten where clicks may be measured, which never are."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Final

from newsletter.content.errors import SourceError, SourceErrors
from newsletter.content.liquid_tags import Tag, Tags, each_tag, with_filter

OWN_LINKS: Final = frozenset({"unsubscribe_url", "preferences_url"})
_ATTRIBUTE: Final = re.compile(
    r"(?P<before>\s(?P<name>[a-zA-Z][\w:-]*)\s*=\s*)(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')"
)
_URL_NAMES: Final = frozenset({"href", "src", "background", "action", "poster", "cite", "longdesc"})
_HARMFUL: Final = re.compile(r"(?:javascript|data|vbscript|file|blob):")
_OUR_FILTER: Final = re.compile(r" \| _(?:whole|in)_url ")
_WEB: Final = re.compile(r"https?://", re.I)
_LINKING: Final = re.compile(r"<(a|area)\b", re.I)
_BODY: Final = re.compile(r"<body\b[^>]*>", re.I)
_STYLES: Final = re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.I)


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
    for style in _STYLES.findall(html):
        faults += [
            tags.of(word).fault("may not stand in a style") for word in tags.word.finditer(style)
        ]

    def one(name: str, value: str) -> str:
        if name == "style" or name.startswith("on"):
            matches = tags.word.finditer(value)
            faults.extend(tags.of(word).fault(f"may not stand in {name}") for word in matches)
        if name not in _URL_NAMES:
            return value
        if _HARMFUL.match("".join(unescape(value).split()).lower()):
            faults.append(
                SourceError("body", f"the address {unescape(value)[:60]} is not allowed in mail")
            )
        return _filtered(value, tags)

    page = each_tag(html, lambda tag: _attributes(tag, one))
    if faults:
        raise SourceErrors(faults)
    return page


def rewritable(html: str, tags: Tags, *, base: str) -> tuple[str, LinkFound]:
    """Return the page with a slot for each link that may be rewritten, and all links found."""
    links = LinkFound()

    def one(name: str, value: str) -> str:
        address = unescape(value).strip()
        if name != "href":
            return value
        if tags.word.search(value):
            if not _is_own(value, tags):
                as_written = tags.word.sub(lambda word: tags.of(word).text, address)
                links.personal.append(_OUR_FILTER.sub(" ", as_written))
            return value
        if not _WEB.match(address) or f"{address}/".startswith(f"{base}/"):
            return value
        links.rewritable.append("".join(address.split()))
        return tags.add(Tag(f"{{{{ _link[{len(links.rewritable) - 1}] }}}}"))

    page = each_tag(html, lambda tag: _attributes(tag, one) if _LINKING.match(tag) else tag)
    return page, links


def with_pixel(html: str, tags: Tags) -> str:
    """Return the page with the pixel's slot at its top, where no clipping reaches (M-6)."""
    word = tags.add(Tag("{{ _pixel }}"))
    return _BODY.sub(lambda body: body[0] + word, html, count=1)


def inert(html: str) -> str:
    """Return a page in which no link leads anywhere: each says where it would go."""

    def dead(tag: str) -> str:
        if not _LINKING.match(tag):
            return tag
        address = ""
        kept = []
        for match in _ATTRIBUTE.finditer(tag):
            if match["name"].lower() == "href":
                address = unescape(match["double"] or match["single"] or "")
            elif match["name"].lower() not in ("title", "target", "ping"):
                kept.append(match[0])
        start = _LINKING.match(tag)
        name = start[0] if start else "<a"
        title = f"would go to {address}" if address else "leads nowhere"
        return f'{name} href="#" title="{escape(title)}"{"".join(kept)}>'

    return each_tag(html, dead)


def _attributes(tag: str, change: Callable[[str, str], str]) -> str:
    def one(match: re.Match[str]) -> str:
        quote = '"' if match["double"] is not None else "'"
        value = match["double"] if match["double"] is not None else match["single"]
        return f"{match['before']}{quote}{change(match['name'].lower(), value)}{quote}"

    return _ATTRIBUTE.sub(one, tag)


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
