"""The attributes of one tag, read and written as a browser reads them."""

import re
from collections.abc import Callable, Iterator
from html import escape, unescape
from html.entities import html5
from typing import Final

_REFERENCE: Final = re.compile(
    r"&(?:#(?:[0-9]+|[xX][0-9a-fA-F]+);?|(?P<name>[a-zA-Z][a-zA-Z0-9]*)(?P<end>[;=]?))"
)
_NAME: Final = re.compile(r"</?[^\s/>]*")
_ATTRIBUTE: Final = re.compile(
    r"(?P<name>=?[^\s/>=]+)"
    r"(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s>\"'][^\s>]*)))?"
)


def unescape_attribute(text: str) -> str:
    """Return an attribute's value; `&region=` stays as it is (HTML §13.2.5.73)."""
    return _REFERENCE.sub(_referred, text) if "&" in text else text


def _referred(match: re.Match[str]) -> str:
    name, end = match["name"], match["end"]
    if name is None:
        return unescape(match[0])
    if end == ";" and f"{name};" in html5:
        return html5[f"{name};"]
    return match[0] if end == "=" else html5.get(name, f"&{name}") + end


def attributes(tag: str) -> Iterator[tuple[str, str]]:
    """Yield name, in lower case, and value of each attribute; a browser takes the first of two."""
    for match in _ATTRIBUTE.finditer(tag, _start(tag)):
        yield match["name"].lower(), unescape_attribute(_value(match) or "")


def with_attributes(tag: str, change: Callable[[str, str], str]) -> str:
    """Return a tag with each value changed; one left alone stays as it was written."""

    def one(match: re.Match[str]) -> str:
        written = _value(match)
        if written is None:
            return match[0]
        value = unescape_attribute(written)
        changed = change(match["name"].lower(), value)
        # What other readers of HTML would take for another value is written so that none does.
        if changed == value == unescape(written):
            return match[0]
        return f'{match["name"]}="{escape(changed)}"'

    start = _start(tag)
    return tag[:start] + _ATTRIBUTE.sub(one, tag[start:])


def _start(tag: str) -> int:
    match = _NAME.match(tag)
    return match.end() if match else 0


def _value(match: re.Match[str]) -> str | None:
    return next(
        (match[way] for way in ("double", "single", "bare") if match[way] is not None), None
    )
