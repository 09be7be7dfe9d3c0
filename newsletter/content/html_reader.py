"""HTML read from beginning to end, in linear time: what a reader of it is told of one by one."""

from collections.abc import Sequence
from html import unescape

from newsletter.content import html_tokens
from newsletter.content.attributes import attributes
from newsletter.content.html_tokens import HtmlToken, Kind


class HtmlReader:
    """Calls its methods for what stands in HTML; entities are resolved, raw texts are data."""

    def __init__(self) -> None:
        self._html = ""
        self._at = 0
        self._line = 1
        self._counted = 0

    def feed(self, html: str) -> None:
        """Read a whole text."""
        self._html, self._line, self._counted = html, 1, 0
        for token in html_tokens.tokens(html):
            self._at = token.start
            self._read(token, html[token.start : token.end])

    def _read(self, token: HtmlToken, text: str) -> None:
        match token.kind:
            case Kind.TEXT:
                self.handle_data(unescape(text))
            case Kind.RAW:
                self.handle_data(unescape(text) if token.name in ("title", "textarea") else text)
            case Kind.START:
                first = dict(reversed(list(attributes(text))))
                self.handle_starttag(token.name, list(reversed(first.items())))
            case Kind.END:
                self.handle_endtag(token.name)
            case Kind.COMMENT:
                self.handle_comment(text.removeprefix("<!--").removesuffix("-->"))

    @property
    def line(self) -> int:
        """Return the line of what is being read, counted from 1."""
        self._line += self._html.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Take a start tag and its attributes."""

    def handle_endtag(self, tag: str) -> None:
        """Take an end tag."""

    def handle_data(self, data: str) -> None:
        """Take text."""

    def handle_comment(self, data: str) -> None:
        """Take what stands in a comment."""
