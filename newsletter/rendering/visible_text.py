"""What a reader finds in a rendered mail: words that can be seen, links, images, where it ends."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from newsletter.content.html_reader import HtmlReader
from newsletter.content.visibility import Seen

WOULD = "would go to "
"""How an inert link begins to say where it leads (newsletter.content.link_rewriting)."""
UNSEEN = {"head", "style", "script", "title", "template", "noscript"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
_BLOCKS: Final = {
    "address", "article", "aside", "blockquote", "center", "div", "dl", "figure", "footer", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section",
    "table", "ul",
}  # fmt: skip
_CELLS: Final = {"td", "th", "tr"}
_CLOSED_BY: Final = {
    "p": _BLOCKS,
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "td": _CELLS,
    "th": _CELLS,
    "tr": {"tr"},
}
"""An open element → what closes it by beginning beside it."""


@dataclass
class Image:
    """One image with its alternative text; None where there is no such attribute."""

    address: str
    alt: str | None
    line: int


@dataclass
class VisibleContent:
    """What can be seen of an HTML part."""

    text: str = ""
    links: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)


def loaded(fields: dict[str, Any]) -> VisibleContent:
    """Return what was made plain data of with `dataclasses.asdict`."""
    return VisibleContent(**fields | {"images": [Image(**image) for image in fields["images"]]})


class _VisibleParser(HtmlReader):
    def __init__(self) -> None:
        super().__init__()
        self.content = VisibleContent()
        self._texts: list[str] = []
        self._open: list[tuple[str, Seen]] = []
        self._links: list[tuple[int, str]] = []

    @property
    def _seen(self) -> Seen:
        return self._open[-1][1] if self._open else Seen()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in reversed(attrs)}
        while self._open and tag in _CLOSED_BY.get(self._open[-1][0], ()):
            self._open.pop()
        style = attributes.get("style", "")
        for name, property_name in (("bgcolor", "background-color"), ("color", "color")):
            if attributes.get(name):
                style = f"{property_name}:{attributes[name]};{style}"
        if attributes.get("background"):
            style = f"background-image:url(x);{style}"
        seen = self._seen.within(style, is_hidden="hidden" in attributes)
        if tag in UNSEEN:
            seen = replace(seen, gone=True)
        if tag not in VOID:
            self._open.append((tag, seen))
        self._texts.append(" ")
        if tag == "a" and "href" in attributes:
            address = attributes.get("title", "").removeprefix(WOULD) or attributes["href"]
            self._links.append((len(self._open), address))
        if tag == "img" and not seen.gone and seen.is_visible:
            alt = attributes.get("alt") if "alt" in attributes else None
            self.content.images.append(Image(attributes.get("src", ""), alt, self.line))
            self._show_link()

    def handle_endtag(self, tag: str) -> None:
        self._texts.append(" ")
        if any(name == tag for name, _ in reversed(self._open)):
            while self._open.pop()[0] != tag:
                pass
        while self._links and self._links[-1][0] > len(self._open):
            self._links.pop()

    def handle_data(self, data: str) -> None:
        if self._seen.can_be_seen:
            self._texts.append(data)
            if plain(data):
                self._show_link()

    def _show_link(self) -> None:
        """Count the links around what is seen: a link without words or picture is none."""
        self.content.links += [address for _, address in self._links]
        self._links = []

    def feed(self, html: str) -> None:
        super().feed(html)
        self.content.text = plain("".join(self._texts))


def plain(text: str) -> str:
    """Return a text with every run of blanks as one, without invisible fillers."""
    return re.sub(r"[\s\u00a0\u200b-\u200d\u034f\u2007\ufeff\u00ad]+", " ", text).strip()


def visible_content(html: str) -> VisibleContent:
    """Return what a reader can see of an HTML part."""
    reader = _VisibleParser()
    reader.feed(html)
    return reader.content
