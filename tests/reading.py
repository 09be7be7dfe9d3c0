"""What a reader of the pseudo-language would still read in English."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from local.pseudo import CLOSE, OPEN

SPOKEN = frozenset({"alt", "aria-label", "placeholder", "title"})
UNSEEN = frozenset({"script", "style"})
ADDRESSES = re.compile(r"https?://\S+|[\w.*+-]+@[\w.-]+")


class Texts(HTMLParser):
    """Collects what is seen or read aloud of a page, in its order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.unseen = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what is read aloud."""
        self.unseen += tag in UNSEEN
        self.texts += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        """Come out of what is not seen."""
        self.unseen -= tag in UNSEEN

    def handle_data(self, data: str) -> None:
        """Take what is seen."""
        if not self.unseen:
            self.texts.append(data)


def raw_english(text: str, own: Iterable[str]) -> list[str]:
    """Return the words outside brackets or in English letters that a client did not write."""
    for sentence in sorted(own, key=len, reverse=True):
        text = text.replace(sentence, " ")
    text = ADDRESSES.sub(" ", text)
    depth, outside = 0, ""
    for letter in text:
        depth += (letter == OPEN) - (letter == CLOSE)
        outside += letter if depth == 0 else " "
    return re.findall(r"[^\W\d_]+", outside) + re.findall(r"[A-Za-z]{2,}", text)
