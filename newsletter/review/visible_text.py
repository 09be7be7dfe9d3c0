"""What a reader finds in a rendered mail: words that can be seen, links, images, where it ends."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

WOULD = "would go to "
"""How an inert link begins to say where it leads (newsletter.content.link_rewriting)."""
UNSEEN = {"head", "style", "script", "title", "template", "noscript"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
_HIDDEN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px)?\s*(?:;|!|$))"
)


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


class _VisibleParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.content = VisibleContent()
        self._texts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        hidden = (
            tag in UNSEEN
            or "hidden" in attributes
            or _HIDDEN.search(attributes.get("style", "").lower())
        )
        if tag not in VOID and (self._hidden or hidden):
            self._hidden.append(tag)
            return
        if self._hidden or hidden:
            return
        if tag == "a" and "href" in attributes:
            self.content.links.append(
                attributes.get("title", "").removeprefix(WOULD) or attributes["href"]
            )
        if tag == "img":
            alt = attributes.get("alt") if "alt" in attributes else None
            self.content.images.append(Image(attributes.get("src", ""), alt, self.getpos()[0]))
        self._texts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden and self._hidden.pop() != tag:
                pass
        self._texts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._texts.append(data)

    def close(self) -> None:
        super().close()
        self.content.text = plain("".join(self._texts))


def plain(text: str) -> str:
    """Return a text with every run of blanks as one, without invisible fillers."""
    return re.sub(r"[\s\u00a0\u200b-\u200d\u034f\u2007\ufeff\u00ad]+", " ", text).strip()


def visible_content(html: str) -> VisibleContent:
    """Return what a reader can see of an HTML part."""
    reader = _VisibleParser()
    reader.feed(html)
    reader.close()
    return reader.content


def inert_text(text: str) -> str:
    """Return plain text whose addresses no mail program makes into links."""
    return re.sub(r"\b(https?)://", r"\1 : //", text)
