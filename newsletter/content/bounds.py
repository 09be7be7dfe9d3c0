"""How much a mail may be before anything reads it: size, nesting, links; counted in one pass."""

import re
from collections.abc import Iterator
from typing import Final

from newsletter.content.errors import SourceError
from newsletter.formats import BodyFormat, LayoutFormat

MOST_BYTES: Final = 200_000
MOST_LEVELS: Final = 256
MOST_LINKS: Final = 2_000

_HALF: Final = re.compile("[\ud800-\udfff]")
_TAG: Final = re.compile(r"<(?:(?P<comment>!--)|(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]*))")
_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_ENDED_BY: Final = {
    **{name: frozenset({name}) for name in ("p", "li", "option")},
    **dict.fromkeys(("dt", "dd"), frozenset({"dt", "dd"})),
    **dict.fromkeys(("td", "th"), frozenset({"td", "th"})),
    "tr": frozenset({"td", "th", "tr"}),
    **dict.fromkeys(("thead", "tbody", "tfoot"), frozenset({"td", "th", "tr", "thead", "tbody"})),
}
"""An element of HTML → what ends where it begins, so that nobody needs to write its end."""
_MARKERS: Final = re.compile(r"(?:[ \t]{0,3}(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))+", re.ASCII)
_MARKER: Final = re.compile(r">|[-+*]|\d{1,9}[.)]", re.ASCII)
_LINK: Final = re.compile(r"\bhref\s{0,9}=|\]\(|\]:|<https?:", re.IGNORECASE)


def too_large(texts: dict[str, str]) -> list[SourceError]:
    """Return a fault for each field that is larger than a mail may be; nothing is read."""
    sizes = {name: len(text.encode(errors="replace")) for name, text in texts.items()}
    return [
        SourceError(name, f"has {_kilobytes(size)} kB; at most {MOST_BYTES // 1000} kB are allowed")
        for name, size in sizes.items()
        if size > MOST_BYTES
    ]


def faults(texts: dict[str, str], *, body_format: str, layout_format: str) -> list[SourceError]:
    """Return what is too large, nested too deeply, or has too many links, with its place."""
    unfit = too_large(texts) or _halves(texts)
    if unfit:
        return unfit
    deep: list[SourceError | None] = []
    if body_format == BodyFormat.MARKDOWN:
        deep.append(_too_many_brackets(texts["body"]) or _too_many_markers(texts["body"]))
    else:
        is_xml = body_format == BodyFormat.MJML
        deep.append(_too_many_levels("body", texts["body"], is_xml=is_xml))
    is_xml = layout_format == LayoutFormat.MJML
    deep.append(_too_many_levels("layout", texts["layout"], is_xml=is_xml))
    deep += [_too_many_links(name, texts[name]) for name in ("body", "layout")]
    return [fault for fault in deep if fault is not None]


def too_many_links(count: int) -> list[SourceError]:
    """Return a fault where a finished mail has too many links, however they were written."""
    if count <= MOST_LINKS:
        return []
    return [SourceError("body", f"has {count} links; at most {MOST_LINKS} are allowed")]


def _halves(texts: dict[str, str]) -> list[SourceError]:
    """Return a fault at half of a character, which is in no encoding of text."""
    return [
        _at(name, text, match.start(), "has half of a character here; write it anew")
        for name, text in texts.items()
        if (match := _HALF.search(text))
    ]


def _kilobytes(size: int) -> int:
    return -(-size // 1000)


def _at(field: str, text: str, index: int, message: str) -> SourceError:
    line, column = text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
    return SourceError(field, message, line, column)


def _too_deep(field: str, text: str, index: int, what: str) -> SourceError:
    return _at(field, text, index, f"is nested more than {MOST_LEVELS} {what} deep here")


def _too_many_levels(field: str, text: str, *, is_xml: bool) -> SourceError | None:
    """Return a fault where elements are open within each other beyond what is allowed."""
    is_open: list[str] = []
    for index, is_end, name, is_closed in _tags(text):
        if is_end:
            while name in is_open and is_open.pop() != name:
                pass
        elif name not in _VOID and not (is_closed and (is_xml or name.startswith("mj-"))):
            ended = () if is_xml else _ENDED_BY.get(name, ())
            while is_open and is_open[-1] in ended:
                is_open.pop()
            is_open.append(name)
            if len(is_open) > MOST_LEVELS:
                return _too_deep(field, text, index, "elements")
    return None


def _tags(text: str) -> Iterator[tuple[int, bool, str, bool]]:
    """Yield where each tag stands, whether it ends an element, of which name, and closes itself."""
    at = 0
    while match := _TAG.search(text, at):
        end = text.find("-->" if match["comment"] else ">", match.end())
        if not match["comment"]:
            yield (
                match.start(),
                bool(match["end"]),
                match["name"].lower(),
                text[end - 1 : end] == "/",
            )
        if end < 0:
            return
        at = end + 1


def _too_many_markers(text: str) -> SourceError | None:
    """Return a fault where a line of Markdown begins with too many quotes and lists."""
    at = 0
    for line in text.split("\n"):
        if len(line) > MOST_LEVELS and (start := _MARKERS.match(line)):
            markers = list(_MARKER.finditer(start[0]))
            if len(markers) > MOST_LEVELS:
                place = at + markers[MOST_LEVELS].start()
                return _too_deep("body", text, place, "quotes and lists")
        at += len(line) + 1
    return None


def _too_many_brackets(text: str) -> SourceError | None:
    """Return a fault where a paragraph of Markdown opens too many brackets."""
    depth = 0
    for match in re.finditer(r"\[|\]|\n[ \t]*\n", text):
        depth = {"[": depth + 1, "]": max(0, depth - 1)}.get(match[0], 0)
        if depth > MOST_LEVELS:
            return _too_deep("body", text, match.start(), "brackets")
    return None


def _too_many_links(field: str, text: str) -> SourceError | None:
    for count, match in enumerate(_LINK.finditer(text), start=1):
        if count > MOST_LINKS:
            return _at(
                field, text, match.start(), f"has more than {MOST_LINKS} links, from here on"
            )
    return None
