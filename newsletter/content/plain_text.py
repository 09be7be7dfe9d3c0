"""The plain text of a mail, read off its HTML: every link with its real address."""

import re
from html.parser import HTMLParser
from typing import Final

from newsletter.content.liquid_tags import Tags

_SKIPPED: Final = frozenset({"head", "style", "script", "title"})
_VOID: Final = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_PARAGRAPHS: Final = _HEADINGS | {"p", "ul", "ol", "blockquote", "pre"}
_LINES: Final = frozenset(
    {"div", "tr", "li", "table", "section", "article", "header", "footer", "main", "address", "dt"}
) | {"dd", "figure", "figcaption", "center", "tbody", "td", "th"}
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_BLANKS: Final = re.compile(r"[ \t\r\n\f\xa0\u200b\u200c\u034f\xad]+")


def from_html(html: str, tags: Tags) -> str:
    """Return readable text with the tags' words kept in place: `text (address)` for links."""
    reader = _TextWriter(tags)
    reader.feed(html)
    reader.close()
    return "".join(reader.out).strip() + "\n"


class _TextWriter(HTMLParser):
    def __init__(self, tags: Tags) -> None:
        super().__init__(convert_charrefs=True)
        self.tags = tags
        self.out: list[str] = []
        self.breaks = 2  # line breaks already standing before the next word
        self.wanted = 0
        self.blank = False
        self.skipping: list[str] = []
        self.lists: list[int] = []
        self.tables: list[bool] = []
        self.link: tuple[str, int] | None = None
        self.pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        hidden = tag in _SKIPPED or _HIDDEN.search(values.get("style", "")) or "hidden" in values
        if self.skipping or hidden:
            if tag not in _VOID:
                self.skipping.append(tag)
            return
        self._space(tag)
        match tag:
            case "br":
                self._line_break()
            case "hr":
                self._paragraph("-" * 32)
            case "img":
                self._word(values.get("alt", ""))
            case "a":
                self.link = (values.get("href", "").strip(), len(self.out))
            case "ul" | "ol":
                self.lists.append(0 if tag == "ul" else 1)
            case "li":
                self._word(self._bullet() + " ")
            case "table":
                self.tables.append(values.get("role") == "presentation")
            case "pre":
                self.pre += 1

    def handle_endtag(self, tag: str) -> None:
        if self.skipping:
            if tag in self.skipping:
                while self.skipping.pop() != tag:
                    pass
            return
        match tag:
            case "a" if self.link:
                self._close_link()
            case "ul" | "ol" if self.lists:
                self.lists.pop()
            case "table" if self.tables:
                self.tables.pop()
            case "pre":
                self.pre = max(0, self.pre - 1)
        self._space(tag)

    def handle_data(self, data: str) -> None:
        if self.skipping:
            return
        if self.pre:
            for index, line in enumerate(data.split("\n")):
                if index:
                    self._line_break()
                self._emit(line)
            return
        self._word(_BLANKS.sub(" ", data))

    def handle_comment(self, data: str) -> None:
        match = self.tags.word.fullmatch(data)
        if match is None or self.skipping:
            return
        if self.tags.of(match).is_output:
            self._emit(match[0])
        else:
            self._flush()
            self.out.append(match[0])

    def _space(self, tag: str) -> None:
        if tag in ("td", "th") and self.tables and not self.tables[-1]:
            self.blank = True
        elif tag in ("td", "th", "table"):
            self.wanted = 2
        elif tag in _PARAGRAPHS and not (self.lists and tag in ("p", "ul", "ol")):
            self.wanted = max(self.wanted, 2)
        elif tag in _PARAGRAPHS or tag in _LINES:
            self.wanted = max(self.wanted, 1)

    def _bullet(self) -> str:
        if not self.lists or not self.lists[-1]:
            return "-"
        self.lists[-1] += 1
        return f"{self.lists[-1] - 1}."

    def _word(self, text: str) -> None:
        self.blank = self.blank or text.startswith(" ")
        bare = text.strip(" ")
        if bare:
            self._emit(bare)
            self.blank = text.endswith(" ")

    def _emit(self, text: str) -> None:
        if text:
            self._flush()
            self.out.append(text)
            self.breaks = 0

    def _flush(self) -> None:
        missing = max(0, self.wanted - self.breaks)
        if missing:
            self.out.append("\n" * missing)
            self.breaks += missing
        elif self.blank and not self.breaks:
            self.out.append(" ")
        self.blank, self.wanted = False, 0

    def _line_break(self) -> None:
        self._flush()
        self.out.append("\n")
        self.breaks += 1

    def _paragraph(self, text: str) -> None:
        self.wanted = 2
        self._emit(text)
        self.wanted = 2

    def _close_link(self) -> None:
        assert self.link is not None
        address, start = self.link
        self.link = None
        if not address or address.startswith("#"):
            return
        text = "".join(self.out[start:]).strip()
        bare = address.removeprefix("mailto:").removeprefix("tel:")
        if text not in (address, bare):
            self.blank = False
            self._emit(f" ({bare})" if text else bare)
