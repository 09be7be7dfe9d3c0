"""The plain text of a mail, read off its HTML: every link with its real address."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from newsletter.content import html_tokens, web_addresses
from newsletter.content.html_reader import HtmlReader
from newsletter.content.html_tokens import Kind
from newsletter.content.liquid_tags import Tags

_SKIPPED: Final = frozenset({"head", "style", "script", "title"})
_VOID: Final = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_PARAGRAPHS: Final = _HEADINGS | {"p", "ul", "ol", "blockquote", "pre"}
_LINES: Final = frozenset(
    {"div", "tr", "li", "table", "section", "article", "header", "footer", "main", "address", "dt"}
) | {"dd", "figure", "figcaption", "center", "tbody", "td", "th"}
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_BEGINS: Final = re.compile(r"\{%-?\s*(?:if|unless|case|for)\b")
_ENDS: Final = re.compile(r"\{%-?\s*end")
_OTHERWISE: Final = re.compile(r"\{%-?\s*(?:else|elsif|when)\b")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,9}")
LOOKED_THROUGH: Final = 5_000
"""Characters in which the items of a list that counts down are counted."""
_BLANKS: Final = re.compile(r"[ \t\r\n\f\xa0\u200b\u200c\u034f\xad]+")


def from_html(html: str, tags: Tags) -> str:
    """Return readable text with the tags' words kept in place: `text <address>` for links."""
    reader = _TextWriter(tags)
    reader.feed(html)
    return "".join(reader.out).strip() + "\n"


class _TextWriter(HtmlReader):
    def __init__(self, tags: Tags) -> None:
        super().__init__()
        self.tags = tags
        self.out: list[str] = []
        self.breaks = 2  # line breaks already standing before the next word
        self.wanted = 0
        self.blank = False
        self.skipping: list[str] = []
        self.lists: list[_List | None] = []
        self.quotes, self.quoted, self.after_image = 0, 0, False
        self.tables: list[bool] = []
        self.openers: list[tuple[str, int]] = []
        self.last_word = -1
        self.pre = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
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
                self._image(_BLANKS.sub(" ", values.get("alt", "")).strip())
            case "a":
                address = values.get("href", "").strip()
                alone = self.openers and self._only_decides(self.openers[0][1])
                self.openers = [*(self.openers if alone else []), (address, len(self.out))]
            case "ul" | "ol":
                self.lists.append(self._numbered(values) if tag == "ol" else None)
            case "li":
                self._item(_number(values.get("value", "")))
            case "blockquote":
                self.quotes += 1
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
            case "a" if self.openers and not self._chooses_on():
                self._close_link()
            case "ul" | "ol" if self.lists:
                self.lists.pop()
            case "table" if self.tables:
                self.tables.pop()
            case "blockquote":
                self.quotes = max(0, self.quotes - 1)
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

    def _numbered(self, values: dict[str, str]) -> "_List":
        """Return a list that begins where it says and counts down where it is reversed."""
        start = _number(values.get("start", ""))
        if "reversed" in values:
            return _List(self._items() if start is None else start, -1)
        return _List(1 if start is None else start, 1)

    def _items(self) -> int:
        """Count the items of the list that begins here, as far as it is looked through."""
        depth = count = 0
        for token in html_tokens.tokens(self._html[self._at : self._at + LOOKED_THROUGH]):
            if token.name in ("ol", "ul"):
                depth += 1 if token.kind is Kind.START else -1
                if not depth:
                    break
            count += token.name == "li" and token.kind is Kind.START and depth == 1
        return count

    def _item(self, value: int | None) -> None:
        ordered, bullet = self.lists[-1] if self.lists else None, "-"
        if ordered is not None:
            ordered.next = ordered.next if value is None else value
            bullet = f"{ordered.next}."
            ordered.next += ordered.step
        self._emit("  " * (len(self.lists) - 1) + bullet)
        self.blank = True

    def _image(self, alt: str) -> None:
        """Write what stands for a picture, apart from the words and pictures beside it."""
        if alt:
            self.blank = True
            self._emit(alt)
            self.blank = self.after_image = True

    def _word(self, text: str) -> None:
        if self.after_image and text[:1] in tuple(".,;:!?)"):
            self.blank = False
        self.after_image = False
        self.blank = self.blank or text.startswith(" ")
        bare = text.strip(" ")
        if bare:
            self._emit(bare)
            self.blank = text.endswith(" ")

    def _emit(self, text: str) -> None:
        if text:
            self._flush()
            self.out.append(text)
            self.last_word = len(self.out) - 1
            self.breaks = 0

    def _flush(self) -> None:
        missing = max(0, self.wanted - self.breaks)
        if missing:
            self._new_line(missing)
            self.breaks += missing
        elif self.quotes and not self.out:
            self.out.append("> " * self.quotes)
            self.quoted = self.quotes
        elif self.blank and not self.breaks:
            self.out.append(" ")
        self.blank, self.wanted = False, 0

    def _line_break(self) -> None:
        self._flush()
        self._new_line(1)
        self.breaks += 1

    def _new_line(self, count: int) -> None:
        """End the line, and others that stay empty; each begins with the marks of its quotes."""
        between = ("> " * min(self.quotes, self.quoted)).rstrip()
        self.out.append(f"\n{between}" * (count - 1) + "\n" + "> " * self.quotes)
        self.quoted = self.quotes

    def _paragraph(self, text: str) -> None:
        self.wanted = 2
        self._emit(text)
        self.wanted = 2

    def _chooses_on(self) -> bool:
        """Say whether the parser closed a link before the other opening tag of a choice."""
        match = self.tags.word.fullmatch(self.out[-1]) if self.out else None
        alone = self._only_decides(self.openers[0][1])
        return bool(match and alone and _OTHERWISE.match(self.tags.of(match).text))

    def _only_decides(self, start: int) -> bool:
        """Say whether nothing but deciding tags was written since."""
        return self.last_word < start

    def _close_link(self) -> None:
        openers, self.openers = self.openers, []
        start, end = self._choice(openers[0][1])
        if start < end:
            self._close_choice(openers, start, end)
            return
        address, start = openers[-1]
        text = "".join(self.out[start:]).strip()
        self._beside(address, text)

    def _close_choice(self, openers: list[tuple[str, int]], start: int, end: int) -> None:
        """Write each address of a link whose opening tag was chosen in the branch it stood in."""
        addresses = {index: f" <{_bare(address)}>" for address, index in openers if _leads(address)}
        pieces = [addresses.get(at, "") + self.out[at].strip() for at in range(start, end)]
        self.blank = False
        self._emit("".join(pieces))

    def _choice(self, opener: int) -> tuple[int, int]:
        """Return where the choice about an opening tag begins and ends in what was written."""
        depth = 0
        for end in range(opener, len(self.out)):
            text = self._deciding(end)
            if text is None:
                break
            depth += bool(_BEGINS.match(text)) - bool(_ENDS.match(text))
            if depth < 0:
                return self._beginning(opener), end + 1
        return 0, 0

    def _beginning(self, opener: int) -> int:
        depth = 0
        for start in range(opener - 1, -1, -1):
            text = self._deciding(start) or ""
            depth += bool(_BEGINS.match(text)) - bool(_ENDS.match(text))
            if depth > 0:
                return start
        return opener

    def _deciding(self, index: int) -> str | None:
        piece = self.out[index].strip("> \n")
        match = self.tags.word.fullmatch(piece)
        tag = self.tags.of(match) if match else None
        if tag is None:
            return None if piece else ""
        return None if tag.is_output else tag.text

    def _beside(self, address: str, text: str) -> None:
        if not _leads(address):
            return
        bare = _bare(address)
        if text not in (address, bare) and web_addresses.asked_for(text) != address:
            self.blank = False
            self._emit(f" <{bare}>" if text else f"<{bare}>")


def _leads(address: str) -> bool:
    return bool(address) and not address.startswith("#")


def _bare(address: str) -> str:
    """Return an address as people read it: a mailbox or a number without its scheme."""
    scheme, colon, rest = address.partition(":")
    if not colon or scheme.lower() not in ("mailto", "tel"):
        return address
    return " ".join(unquote(rest.partition("?")[0]).split()) or address


def _number(typed: str) -> int | None:
    """Return a whole number as an attribute of a list has it; None for anything else."""
    return int(typed) if _WHOLE.fullmatch(typed.strip()) else None


@dataclass
class _List:
    """An ordered list: the number of its next item, and how far it counts on."""

    next: int
    step: int
