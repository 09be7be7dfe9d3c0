"""What a style hides from a reader, as CSS means it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

USUAL_SIZE: Final = 16.0
_ABSOLUTE: Final = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": USUAL_SIZE, "large": 18.0,
    "x-large": 24.0, "xx-large": 32.0, "xxx-large": 48.0, "initial": USUAL_SIZE,
}  # fmt: skip
_RELATIVE: Final = {"smaller": 5 / 6, "larger": 1.2, "inherit": 1.0, "unset": 1.0}
_UNITS: Final = {"em": None, "%": None, "ex": None, "ch": None}
_LENGTH: Final = re.compile(r"[-+]?(\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?([a-z%]*)")
_NO_COMMENTS: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_CLIPS: Final = frozenset({"hidden", "clip"})
_APART: Final = re.compile(r"\"[^\"]*\"|'[^']*'")


@dataclass(frozen=True)
class Seen:
    """What an element and all it stands in do to the sight of its words."""

    gone: bool = False
    """Taken out whole, by one element: nothing within it can show itself again."""
    is_visible: bool = True
    size: float = USUAL_SIZE

    @property
    def can_be_seen(self) -> bool:
        """Say whether words at this place can be seen."""
        return not self.gone and self.is_visible and self.size > 0

    def within(self, style: str, *, is_hidden: bool = False) -> "Seen":
        """Return what holds inside an element with a style and, perhaps, `hidden`."""
        if not style and not is_hidden:
            return self
        values = declarations(style)
        gone = self.gone or hides(values) or (is_hidden and "display" not in values)
        made = replace(self, gone=gone, size=_size(values.get("font-size", ""), self.size))
        match values.get("visibility", "inherit"):
            case "hidden" | "collapse":
                return replace(made, is_visible=False)
            case "visible" | "initial":
                return replace(made, is_visible=True)
        return made


def hides(values: Mapping[str, str]) -> bool:
    """Say whether declarations take an element out of sight with all that stands in it."""
    if values.get("display") == "none" or values.get("mso-hide") == "all":
        return True
    if _is_zero(values.get("opacity", "")):
        return True
    clipped = any(
        values.get(name, "").split(" ")[0] in _CLIPS
        for name in ("overflow", "overflow-x", "overflow-y")
    )
    sides = ("height", "max-height", "width", "max-width")
    return clipped and any(_is_zero(values.get(name, "")) for name in sides)


def declarations(style: str) -> dict[str, str]:
    """Return the declarations of a style that hold: the last of a name, `!important` before it."""
    values: dict[str, str] = {}
    important: set[str] = set()
    for declaration in _NO_COMMENTS.sub(" ", style).lower().split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip(), " ".join(value.split())
        if not colon or not value:
            continue
        value, mark, _ = value.partition("!")
        if mark:
            important.add(name)
        elif name in important:
            continue
        _take(values, name, value.strip(), important if not mark else set())
    return values


def _take(values: dict[str, str], name: str, value: str, kept: set[str]) -> None:
    """Take a declaration in where it is one; `font:` brings a size."""
    if name == "font-size" and not _is_size(value):
        return
    if name == "font":
        if "font-size" not in kept:
            values["font-size"] = _size_in(value)
        return
    values[name] = value


def _size_in(font: str) -> str:
    for part in _APART.sub(" ", font).split():
        size = part.partition("/")[0]
        if _is_size(size) and not size.isdecimal():
            return size
        if size == "0":
            return size
    return "medium"


def _is_size(value: str) -> bool:
    return value in _ABSOLUTE or value in _RELATIVE or bool(_LENGTH.match(value)) or "(" in value


def _size(value: str, inherited: float) -> float:
    if value in _ABSOLUTE:
        return _ABSOLUTE[value]
    if value in _RELATIVE:
        return inherited * _RELATIVE[value]
    match = _LENGTH.fullmatch(value)
    if match is None:
        return inherited if not value else USUAL_SIZE
    number = float(match[1])
    if match[2] not in _UNITS:
        return number
    return inherited * (number / 100 if match[2] == "%" else number)


def _is_zero(value: str) -> bool:
    match = _LENGTH.fullmatch(value)
    return match is not None and float(match[1]) == 0
