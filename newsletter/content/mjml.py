"""MJML made into an HTML page by mrml, which is shown plain words for all that it only copies.

mrml writes attribute values with the escapes of another language, wants the author's HTML to be
XML, and fetches pictures and fonts from third parties; so it never sees any of that.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Final

import css_inline
import mrml

from newsletter.content import mjml_output
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.content.liquid_tags import Tags
from newsletter.content.mjml_elements import COPIED, ENDING, Element
from newsletter.content.mjml_output import Word
from newsletter.content.mjml_source import COMMENT, LIQUID, SLOT
from newsletter.content.speech import Speech

_OPTIONS: Final = mrml.RenderOptions(fonts={}, social_icon_origin=mjml_output.NO_ICON)
_PLAIN: Final = re.compile(r"[ !#-;=?-\[\]-~]*")
_LOOKED_UP: Final = frozenset({"mj-class"})
_BARE: Final = frozenset({"mj-social", "mj-navbar", "mj-accordion"})
"""Elements in which mrml takes pieces as comments alone."""
_STYLES: Final = frozenset({"border", "font-size", "ico-padding"})
_CARRIED: Final = {
    ("mj-button", "title"): ("href", ""),
    ("mj-image", "sizes"): ("src", ""),
    ("mj-image", "border-top"): ("border", "0"),
    ("mj-image", "border-bottom"): ("border", "0"),
    ("mj-social-element", "sizes"): ("src", ""),
    ("mj-social-element", "srcset"): ("src", ""),
    ("mj-table", "role"): ("cellpadding", "0"),
    ("mj-accordion-title", "font-weight"): ("font-size", "13px"),
    ("mj-navbar", "ico-padding-top"): ("ico-padding", "10px"),
    ("mj-navbar", "ico-padding-right"): ("ico-padding", "10px"),
    ("mj-navbar", "ico-padding-bottom"): ("ico-padding", "10px"),
    ("mj-navbar", "ico-padding-left"): ("ico-padding", "10px"),
}
"""An attribute mrml does not know → one of the same tag that it copies, and its usual value."""
_TURNED: Final = {
    "mj-section": {"direction": "rtl"},
    "mj-wrapper": {"direction": "rtl"},
    "mj-group": {"direction": "rtl"},
    "mj-column": {"direction": "rtl"},
    "mj-text": {"align": "right"},
    "mj-table": {"align": "right"},
    "mj-social-element": {"text-padding": "4px 0 4px 4px"},
}
"""What MJML writes from left to right into every element, turned."""


def page(roots: Iterable[Element], tags: Tags, speech: Speech, *sources: str) -> str:
    """Return the HTML page of a tree with one <mjml>, and what stands before and after it.

    `sources` are the texts it was read from, which no stand-in word may occur in.
    """
    return _Writer(tags, speech, sources).page(list(roots))


@dataclass
class _Writer:
    tags: Tags
    speech: Speech
    sources: tuple[str, ...]
    stand_ins: list[Word] = field(default_factory=list)
    known: dict[Word, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    inlined: list[str] = field(default_factory=list)
    fonts: list[tuple[str, str]] = field(default_factory=list)
    with_picture: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.seed = "zqm"
        while any(self.seed in source.lower() for source in self.sources):
            self.seed += "q"

    def page(self, roots: list[Element]) -> str:
        """Return the page: written for mrml, made by it, mended, words put back."""
        at = next(index for index, root in enumerate(roots) if root.name == "mjml")
        mjml = roots[at]
        self._take_out_of_head(mjml)
        source = self._mjml(mjml)
        try:
            html = str(mrml.to_html(source, render_options=_OPTIONS).content)
        except Exception as error:  # mrml names its errors only by their text
            raise SourceErrors([SourceError("body", f"MJML: {error}")]) from None
        html = mjml_output.mended(html, self._direction(mjml))
        html = mjml_output.with_words(html, self.seed, self.stand_ins)
        html = mjml_output.with_fonts(html, self.fonts)
        if self.inlined:
            inliner = css_inline.CSSInliner(
                inline_style_tags=False,
                keep_style_tags=True,
                load_remote_stylesheets=False,
                extra_css="\n".join(self.inlined),
            )
            html = inliner.inline(html)
        pieces = [root.content for root in roots[:at]] + self.before
        return "".join([*pieces, html, *(root.content for root in roots[at + 1 :])])

    def _direction(self, mjml: Element) -> str:
        written = mjml.attributes.get("dir", "").strip().lower()
        return written if written in ("ltr", "rtl") else self.speech.direction

    def _take_out_of_head(self, mjml: Element) -> None:
        """Keep from mrml what is made here: fonts, inlined styles, what stands at the very top."""
        for parent in [mjml, *mjml.children]:
            if parent.name not in ("mjml", "mj-head"):
                continue
            kept = []
            for element in parent.children:
                is_at_top = element.attributes.get("position") == "file-start"
                if element.name == "mj-font":
                    values = element.attributes
                    self.fonts.append((values.get("name", ""), values.get("href", "")))
                elif element.name == "mj-style" and element.attributes.get("inline") == "inline":
                    self.inlined.append(element.content)
                elif element.name in (LIQUID, COMMENT) or (element.name == "mj-raw" and is_at_top):
                    self.before.append(element.content)
                else:
                    kept.append(element)
            parent.children = kept

    def _mjml(self, mjml: Element) -> str:
        heads = [child for child in mjml.children if child.name == "mj-head"]
        bodies = [child for child in mjml.children if child.name == "mj-body"]
        head = Element("mj-head", children=[one for head in heads for one in head.children])
        self.with_picture = {
            one.attributes.get("name", "") if one.name == "mj-class" else one.name
            for attributes in head.children
            for one in attributes.children
            if "src" in one.attributes
        }
        if self._direction(mjml) == "rtl":
            head.children.insert(0, _turned(head))
        attributes = {"lang": self.speech.language, "dir": self.speech.direction}
        attributes |= {
            name: value for name, value in mjml.attributes.items() if name in ("lang", "dir")
        }
        root = Element("mjml", attributes, [head, *(bodies or [Element("mj-body")])])
        return "".join(self._written(root, Element("")))

    def _written(self, element: Element, parent: Element) -> list[str]:
        if element.name in (LIQUID, COMMENT, SLOT) or (
            element.name == "mj-raw" and parent.name in _BARE
        ):
            return [self._piece(element.content, parent)]
        attributes = self._attributes(element)
        if self._lacks_picture(element):
            attributes.append(f' src="{mjml_output.NO_ICON}"')
        start = f"<{element.name}{''.join(attributes)}>"
        if element.name in ENDING and parent.name != "mj-attributes":
            return [start, self._content(element), f"</{element.name}>"]
        parts = [start]
        for child in element.children:
            parts += self._written(child, element)
        return [*parts, f"</{element.name}>"]

    def _lacks_picture(self, element: Element) -> bool:
        """Say whether mrml would fetch the picture of a network from a third party."""
        if element.name != "mj-social-element" or "src" in element.attributes:
            return False
        names = {"mj-all", "mj-social-element", *element.attributes.get("mj-class", "").split()}
        return not names & self.with_picture

    def _piece(self, content: str, parent: Element) -> str:
        word = self._word(Word(content, "piece"))
        return f"<!--{word}-->" if parent.name in _BARE else f"<mj-raw>{word}</mj-raw>"

    def _content(self, element: Element) -> str:
        content = element.content
        if not content.strip() and self._lacks_picture(element):
            content = escape(_network(element))
        if not content.strip():
            return ""
        kinds = {"mj-title": "title", "mj-raw": "piece", "mj-table": "table"}
        return self._word(Word(content, kinds.get(element.name, "content")))

    def _attributes(self, element: Element) -> list[str]:
        """Return the attributes for mrml, those it does not know carried by their neighbours."""
        values, tails = dict(element.attributes), dict[str, str]()
        for name in element.attributes:
            carrier, usual = _CARRIED.get((element.name, name), ("", ""))
            if carrier in values or usual:
                values.setdefault(carrier, usual)
                value = values.pop(name)
                tail = f'" {name}="{Word(value, "").quoted}'
                if carrier in _STYLES:
                    tail = f";{name.removeprefix('ico-')}:{value}"
                tails[carrier] = tails.get(carrier, "") + tail
        for name, tail in tails.items():
            if name in _STYLES:
                values[name] += tail
        return [
            f' {name}="{written}"'
            for name, value in values.items()
            for written in (
                [self._word(Word(Word(value, "").quoted + tails[name], "raw"))]
                if name in tails and name not in _STYLES
                else self._value(element, name, value)
            )
        ]

    def _value(self, element: Element, name: str, value: str) -> list[str]:
        """Return an attribute's value as mrml may see it; nothing where it is left out."""
        if self.tags.word.search(name):
            return []
        is_looked_up = name in _LOOKED_UP or (name == "name" and element.name == "mj-class")
        if name == "css-class" or is_looked_up:
            return [" ".join(map(self._class, value.split()))]
        if name == "name" and element.name == "mj-social-element":
            return [value.strip().lower()] if _PLAIN.fullmatch(value) else []
        if name in COPIED:
            kind = "background" if name == "background-url" else "attribute"
            return [self._word(Word(value, kind))] if value else [""]
        value = " ".join(value.split())
        return [value if _PLAIN.fullmatch(value) else self._word(Word(value, "attribute"))]

    def _class(self, name: str) -> str:
        return name if _PLAIN.fullmatch(name) else self._word(Word(name, "attribute"))

    def _word(self, word: Word) -> str:
        if word not in self.known:
            self.known[word] = f"{self.seed}{len(self.stand_ins)}x"
            self.stand_ins.append(word)
        return self.known[word]


def _turned(head: Element) -> Element:
    """Return <mj-attributes> that turn what the author left as MJML has it."""
    everywhere = {
        name
        for attributes in head.children
        for one in attributes.children
        if one.name == "mj-all"
        for name in one.attributes
    }
    turned = [
        Element(name, {key: value for key, value in values.items() if key not in everywhere})
        for name, values in _TURNED.items()
    ]
    return Element("mj-attributes", children=[one for one in turned if one.attributes])


def _network(element: Element) -> str:
    name = element.attributes.get("name", "").strip().lower().removesuffix("-noshare")
    return mjml_output.NETWORKS.get(name, name.title())
