"""What a style hides from a reader, as CSS means it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from tinycss2.color3 import parse_color

USUAL_SIZE: Final = 16.0
SMALLEST: Final = 4.0
"""Pixels of a letter nobody reads any more."""
WHITE: Final = (1.0, 1.0, 1.0, 1.0)
_FAINT: Final = 0.06
_CLIPPED_AWAY: Final = ("scale(0)", "scale(0,0)", "rect(0", "inset(50%", "inset(100%", "circle(0")
_AWAY: Final = -300.0
"""Pixels beyond an edge at which nothing is left in sight."""
_ABSOLUTE: Final = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": USUAL_SIZE, "large": 18.0,
    "x-large": 24.0, "xx-large": 32.0, "xxx-large": 48.0, "initial": USUAL_SIZE,
}  # fmt: skip
_RELATIVE: Final = {"smaller": 5 / 6, "larger": 1.2, "inherit": 1.0, "unset": 1.0}
_PIXELS: Final = {"pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78, "rem": USUAL_SIZE}
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
    colour: tuple[float, ...] | None = None
    """Red, green, blue and alpha where a style says so; None where it is the program's own."""
    ground: tuple[float, ...] | None = None
    """What the words stand on; None where it is the program's own, or a picture."""

    @property
    def can_be_seen(self) -> bool:
        """Say whether words at this place can be seen."""
        if self.gone or not self.is_visible or self.size < SMALLEST:
            return False
        if self.colour is None:
            return True
        ground = self.ground or WHITE
        apart = max(abs(a - b) for a, b in zip(self.colour[:3], ground[:3], strict=True))
        return self.colour[3] > _FAINT and apart * self.colour[3] > _FAINT

    def within(self, style: str, *, is_hidden: bool = False) -> "Seen":
        """Return what holds inside an element with a style and, perhaps, `hidden`."""
        if not style and not is_hidden:
            return self
        values, is_hiding, colour = _read(style)
        gone = self.gone or is_hiding or (is_hidden and "display" not in values)
        made = replace(
            self,
            gone=gone,
            size=_size(values.get("font-size", ""), self.size),
            colour=colour or self.colour,
            ground=_ground(values, self.ground),
        )
        match values.get("visibility", "inherit"):
            case "hidden" | "collapse":
                return replace(made, is_visible=False)
            case "visible" | "initial":
                return replace(made, is_visible=True)
        return made


@lru_cache(maxsize=1_000)
def _read(style: str) -> tuple[Mapping[str, str], bool, tuple[float, ...] | None]:
    """Return what a style declares, whether that hides, and in which colour it writes."""
    values = declarations(style)
    return values, hides(values), _colour(values.get("color", ""))


def hides(values: Mapping[str, str]) -> bool:
    """Say whether declarations take an element out of sight with all that stands in it."""
    if values.get("display") == "none" or values.get("mso-hide") == "all":
        return True
    if _is_faint(values.get("opacity", "")) or _is_away(values):
        return True
    clipped = any(
        values.get(name, "").split(" ")[0] in _CLIPS
        for name in ("overflow", "overflow-x", "overflow-y")
    )
    sides = ("height", "max-height", "width", "max-width")
    return clipped and any(_is_zero(values.get(name, "")) for name in sides)


def _is_away(values: Mapping[str, str]) -> bool:
    """Say whether an element was moved out of the page."""
    names = ["text-indent", "margin-left", "margin-top", "margin-right"]
    if values.get("position") in ("absolute", "fixed", "relative"):
        names += ["left", "top", "right", "bottom"]
    for name in names:
        value = values.get(name, "")
        match = _LENGTH.fullmatch(value)
        if match and value.startswith("-") and -_size(value[1:], USUAL_SIZE) <= _AWAY:
            return True
    clipped = (values.get(name, "").replace(" ", "") for name in ("transform", "clip", "clip-path"))
    return any(value.startswith(_CLIPPED_AWAY) for value in clipped)


def _colour(value: str) -> tuple[float, ...] | None:
    made = parse_color(value) if value else None
    return tuple(made) if isinstance(made, tuple) else None


def _ground(
    values: Mapping[str, str], behind: tuple[float, ...] | None
) -> tuple[float, ...] | None:
    """Return what the words of an element stand on, where it is known."""
    if "url(" in values.get("background", "") or "url(" in values.get("background-image", ""):
        return None
    parts = [values.get("background-color", ""), *values.get("background", "").split()]
    colours = [colour for colour in map(_colour, parts) if colour is not None and colour[3] > 0.5]
    return colours[0] if colours else behind


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
        return number * _PIXELS.get(match[2], 1.0)
    return inherited * (number / 100 if match[2] == "%" else number)


def _is_faint(opacity: str) -> bool:
    match = _LENGTH.fullmatch(opacity)
    return match is not None and float(match[1]) / (100 if match[2] == "%" else 1) <= _FAINT


def _is_zero(value: str) -> bool:
    match = _LENGTH.fullmatch(value)
    return match is not None and float(match[1]) == 0
