"""One start tag of MJML taken apart, in one pass; how a page of MJML begins."""

import re
from dataclasses import dataclass, field
from typing import Final

from newsletter.content.liquid_tags import Tags

_NAME: Final = re.compile(r"[^\s=>/\"'<]+")
_BLANKS: Final = re.compile(r"\s*")
_WHOLE: Final = re.compile(r"<mjml[\s>/]", re.IGNORECASE)
_UNQUOTED: Final = re.compile(r"[^\s\"'<>=]+")


class BrokenTagError(Exception):
    """A tag that cannot be read any further; says where and why."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


@dataclass
class StartTag:
    """A start tag; attributes are name, value and index."""

    name: str
    attributes: list[tuple[str, str, int]] = field(default_factory=list)
    end: int = 0
    is_closed: bool = False


def past_blanks(source: str, at: int) -> int:
    """Return the index of the next character that is no blank."""
    match = _BLANKS.match(source, at)
    return match.end() if match else at


def start_tag(source: str, start: int) -> StartTag:
    """Return the start tag at an index; raises BrokenTagError where it is none."""
    match = _NAME.match(source, start + 1)
    if match is None:
        raise BrokenTagError(start, "a < that begins no element; write &lt;")
    tag = StartTag(match[0])
    at = match.end()
    while True:
        at = past_blanks(source, at)
        if source.startswith((">", "/>"), at):
            tag.is_closed = source[at] == "/"
            tag.end = at + 1 + tag.is_closed
            return tag
        if source.startswith("/", at):
            at += 1
            continue
        match = _NAME.match(source, at)
        if match is None:
            raise BrokenTagError(start, f"<{tag.name} is never closed with >")
        begins, at, value = at, past_blanks(source, match.end()), ""
        if source.startswith("=", at):
            value, at = _value(source, past_blanks(source, at + 1), match[0])
        tag.attributes.append((match[0], value, begins))


def _value(source: str, at: int, name: str) -> tuple[str, int]:
    quote = source[at : at + 1]
    if quote in ('"', "'"):
        end = source.find(quote, at + 1)
        if end < 0:
            raise BrokenTagError(at, f"the quotes of {name} are never closed")
        return source[at + 1 : end], end + 1
    match = _UNQUOTED.match(source, at)
    if match is None:
        raise BrokenTagError(at, f"{name} has no value after its =")
    return match[0], match.end()


def begins_whole(source: str, tags: Tags) -> bool:
    """Say whether a source is a page of its own: `<mjml` after nothing but what may precede it."""
    at = 0
    source = source.lstrip("\ufeff")
    while True:
        at = past_blanks(source, at)
        if word := tags.word.match(source, at):
            at = word.end()
            continue
        if source.startswith("<!--", at):
            end, length = source.find("-->", at + 4), 3
        elif source.startswith(("<?", "<!"), at):
            end, length = source.find(">", at), 1
        else:
            return _WHOLE.match(source, at) is not None
        if end < 0:
            return False
        at = end + length
