"""What MJML knows: its elements, where each may stand, and the attributes it has."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CONTENT: Final = _names("""
    mj-accordion mj-button mj-carousel mj-divider mj-image mj-navbar mj-raw mj-social mj-spacer
    mj-table mj-text
""")

CHILDREN: Final = {
    "": _names("mjml"),
    "mjml": _names("mj-head mj-body mj-raw"),
    "mj-head": _names("""
        mj-attributes mj-breakpoint mj-font mj-html-attributes mj-preview mj-raw mj-style mj-title
    """),
    "mj-body": _names("mj-hero mj-raw mj-section mj-wrapper"),
    "mj-wrapper": _names("mj-hero mj-raw mj-section mj-wrapper"),
    "mj-section": _names("mj-column mj-group mj-raw"),
    "mj-group": _names("mj-column mj-raw"),
    "mj-column": _CONTENT,
    "mj-hero": _CONTENT,
    "mj-accordion": _names("mj-accordion-element mj-raw"),
    "mj-accordion-element": _names("mj-accordion-text mj-accordion-title"),
    "mj-carousel": _names("mj-carousel-image"),
    "mj-navbar": _names("mj-navbar-link mj-raw"),
    "mj-social": _names("mj-social-element mj-raw"),
} | dict.fromkeys(
    _names("mj-breakpoint mj-carousel-image mj-divider mj-font mj-image mj-spacer"),
    frozenset[str](),
)
"""An element → what may stand in it; what is not here holds no elements of MJML."""

ENDING: Final = _names("""
    mj-accordion-text mj-accordion-title mj-button mj-navbar-link mj-preview mj-raw
    mj-social-element mj-style mj-table mj-text mj-title
""")
"""Elements whose content is the author's own HTML, or text, to their end tag."""

PLAIN_ENDING: Final = _names("mj-preview mj-style mj-title")
"""Those among them that hold no HTML."""

COPIED: Final = _names("""
    alt background-url base-url content dir font-family href ico-close ico-open icon-unwrapped-alt
    icon-unwrapped-url icon-wrapped-alt icon-wrapped-url id lang left-icon name rel right-icon role
    sizes src srcset target thumbnails-src title usemap
""")
"""Attributes that are only copied; nothing is computed with them."""

_BOX: Final = _names("padding padding-bottom padding-left padding-right padding-top")
_BORDERS: Final = _names("border border-bottom border-left border-radius border-right border-top")
_FONT: Final = _names("color font-family font-size font-weight")
_TEXT: Final = _FONT | _names("font-style line-height text-decoration")
_BACKGROUND: Final = _names("""
    background-color background-position background-position-x background-position-y
    background-repeat background-size background-url
""")
_ICONS: Final = _names("""
    icon-align icon-height icon-position icon-unwrapped-alt icon-unwrapped-url icon-width
    icon-wrapped-alt icon-wrapped-url
""")
_SECTION: Final = (
    _BOX | _BORDERS | _BACKGROUND | _names("direction full-width gutter text-align text-padding")
)
_LETTERS: Final = _names("letter-spacing text-transform")
_LINKED: Final = _names("href name rel target title")
_IN_COLUMN: Final = _BOX | _names("align container-background-color vertical-align")

ATTRIBUTES_OF: Final = {
    "mj-body": _names("background-color id width"),
    "mj-breakpoint": _names("width"),
    "mj-font": _names("href name"),
    "mj-style": _names("inline"),
    "mj-raw": _names("position"),
    "mj-section": _SECTION,
    "mj-wrapper": _SECTION | _names("gap"),
    "mj-group": _names("background-color direction vertical-align width"),
    "mj-column": _BOX
    | _BORDERS
    | _names("""
        background-color direction inner-background-color inner-border inner-border-bottom
        inner-border-left inner-border-radius inner-border-right inner-border-top vertical-align
        width
    """),
    "mj-hero": _BOX
    | _BACKGROUND
    | _names("""
        background-height background-width border-radius height inner-background-color
        inner-padding inner-padding-bottom inner-padding-left inner-padding-right
        inner-padding-top mode vertical-align
    """),
    "mj-text": _IN_COLUMN | _TEXT | _LETTERS | _names("background-color height"),
    "mj-button": _IN_COLUMN
    | _TEXT
    | _BORDERS
    | _LETTERS
    | _LINKED
    | _names("background-color height inner-padding text-align width"),
    "mj-image": _IN_COLUMN
    | _BORDERS
    | _LINKED
    | _names("alt fluid-on-mobile font-size height max-height sizes src srcset usemap width"),
    "mj-divider": _IN_COLUMN | _names("border-color border-style border-width width"),
    "mj-spacer": _IN_COLUMN | _BORDERS | _names("height"),
    "mj-table": _IN_COLUMN
    | _FONT
    | _names("border cellpadding cellspacing font-style line-height role table-layout width"),
    "mj-social": _IN_COLUMN
    | _TEXT
    | _names("""
        border-radius icon-height icon-padding icon-size inner-padding mode table-layout
        text-padding
    """),
    "mj-social-element": _BOX
    | _TEXT
    | _LINKED
    | _names("""
        align alt background-color border border-radius icon-height icon-padding icon-position
        icon-size sizes src srcset text-padding vertical-align
    """),
    "mj-navbar": _IN_COLUMN
    | _names("""
        base-url hamburger ico-align ico-close ico-color ico-font-family ico-font-size
        ico-line-height ico-open ico-padding ico-padding-bottom ico-padding-left
        ico-padding-right ico-padding-top ico-text-decoration ico-text-transform
    """),
    "mj-navbar-link": _BOX | _TEXT | _LETTERS | _LINKED,
    "mj-accordion": _IN_COLUMN | _ICONS | _names("border font-family"),
    "mj-accordion-element": _ICONS | _names("background-color border font-family"),
    "mj-accordion-text": _BOX | _FONT | _names("background-color letter-spacing line-height"),
    "mj-accordion-title": _BOX | _FONT | _names("background-color"),
    "mj-carousel": _IN_COLUMN
    | _names("""
        border-radius icon-width left-icon right-icon tb-border tb-border-radius
        tb-hover-border-color tb-selected-border-color tb-width thumbnails
    """),
    "mj-carousel-image": _LINKED
    | _names("alt border-radius src tb-border tb-border-radius thumbnails-src"),
}
"""An element → the attributes it has, beside css-class and mj-class."""

EVERYWHERE: Final = _names("css-class mj-class")
KNOWN: Final = frozenset(ATTRIBUTES_OF) | frozenset(CHILDREN) | ENDING | _names("mj-include")


@dataclass
class Element:
    """One element of MJML, or a piece between elements (SLOT, LIQUID, COMMENT)."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    content: str = ""
    line: int | None = None
    column: int | None = None
    index: int = 0

    def walk(self) -> Iterator["Element"]:
        """Yield the element and all within it, in order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += reversed(element.children)
