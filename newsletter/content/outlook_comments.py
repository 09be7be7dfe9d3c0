"""Conditional comments, which Outlook alone reads: kept where well-formed, and clean inside."""

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

from newsletter.content import allowed_markup, html_tokens, style_sheets, web_addresses
from newsletter.content.attributes import attributes
from newsletter.content.html_tokens import HtmlToken, Kind
from newsletter.content.liquid_tags import Tags

WITHOUT_END: Final = frozenset(
    {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr", "v:fill", "v:stroke"}
    | {"v:imagedata", "v:shadow", "v:path", "v:f", "v:h", "w:anchorlock", "o:lock"}
)
_CONDITION: Final = r"\[\s*+if\s++(?P<condition>[\w\s().|&!]{1,100}+)\]"
_OPENING: Final = re.compile(rf"<!--\s*+{_CONDITION}>", re.IGNORECASE)
_SHOWN: Final = re.compile(
    rf"<!(?:--\s*+)?{_CONDITION}>(?:\s*+(?:<!(?:--)?>?)?\s*+-->)?", re.IGNORECASE
)
_SHOWN_END: Final = re.compile(r"<!--\s*+<!\[endif\]\s*+-->|<!\[endif\]>", re.IGNORECASE)
_NAME: Final = re.compile(r"</?([^\s/>]+)")
_END: Final = re.compile(r"<!\[endif\]\s*+\Z", re.IGNORECASE)
Tell = Callable[[int, str], None]


def paired(source: str, listed: Sequence[HtmlToken], tags: Tags, tell: Tell) -> dict[int, str]:
    """Return by their start the conditional comments that stay, as they are written then.

    Content shown to all but Outlook stands between two of them, which must both be there.
    """
    comments = _Comments(tags, tell)
    for token in listed:
        if token.kind in (Kind.COMMENT, Kind.DECLARATION):
            comments.take(token, source[token.start : token.end])
    return comments.kept()


class _Comments:
    """The conditional comments of one body."""

    def __init__(self, tags: Tags, tell: Tell) -> None:
        self.tags = tags
        self.tell = tell
        self._shown: dict[int, str] = {}
        self._hidden: dict[int, str] = {}
        self._opened: list[int] = []
        self._elements: list[tuple[str, int]] = []

    def take(self, token: HtmlToken, text: str) -> None:
        """Keep one comment where it is one of Outlook's and well-formed."""
        start = token.start
        if match := _SHOWN.fullmatch(text):
            self._shown[start] = f"<!--[if {' '.join(match['condition'].split())}]><!-->"
            self._opened.append(start)
        elif _SHOWN_END.fullmatch(text):
            if self._opened:
                self._opened.pop()
                self._shown[start] = "<!--<![endif]-->"
            else:
                self.tell(start, "<![endif] that ends nothing")
        elif token.kind is Kind.COMMENT and (opening := _OPENING.match(text)):
            self._hide(text, opening, start)

    def kept(self) -> dict[int, str]:
        """Return what stays: none with content where Outlook would be left within it."""
        for start in self._opened:
            self.tell(start, "a conditional comment that does not end in <!--<![endif]-->")
            del self._shown[start]
        stack: list[tuple[str, int]] = []
        for name, index in self._elements:
            if name.startswith("/") and stack and stack[-1][0] == name[1:]:
                stack.pop()
                continue
            stack.append((name, index))
            if name.startswith("/"):
                break
        if not stack:
            return self._shown | self._hidden
        name, index = stack[-1]
        self.tell(
            index,
            f"all conditional comments, because <{name}> in them has no counterpart:"
            " Outlook could no longer show what follows",
        )
        return self._shown

    def _hide(self, text: str, opening: re.Match[str], start: int) -> None:
        """Keep a comment that Outlook alone reads, its content clean."""
        inner = text[opening.end() :].removesuffix("-->")
        end = _END.search(inner)
        if not text.endswith("-->") or end is None:
            self.tell(start, "a conditional comment that does not end in <![endif]-->")
            return
        inner = inner[: end.start()]
        content = "".join(self._clean(inner, start + opening.end()))
        if re.search(r"--!?>|<!--|<!\[", content):
            self.tell(start, "a conditional comment within another")
            return
        condition = " ".join(opening["condition"].split())
        self._hidden[start] = f"<!--[if {condition}]>{content}<![endif]-->"

    def _clean(self, inner: str, start: int) -> Iterator[str]:
        gone = ""
        for token in html_tokens.tokens(inner):
            text, at = inner[token.start : token.end], start + token.start
            if gone:
                gone = "" if token.kind is Kind.END and token.name == gone else gone
            elif token.kind is Kind.TEXT:
                yield text
            elif token.kind is Kind.RAW and token.name == "style":
                yield self._style(text, at)
            elif token.kind in (Kind.START, Kind.END):
                if token.name in allowed_markup.ELEMENTS | allowed_markup.OUTLOOK_ELEMENTS:
                    yield self._tag(token, text, at)
                    continue
                self.tell(at, f"<{token.name}> in a conditional comment")
                if token.kind is Kind.START and token.name in allowed_markup.WITH_CONTENT:
                    gone = token.name
            elif token.kind is not Kind.RAW:
                self.tell(at, f"{text[:40]} in a conditional comment")

    def _style(self, css: str, at: int) -> str:
        sheet = style_sheets.confined(css, f".{allowed_markup.SCOPE}", inlining=False)
        for taken in sheet.taken_out:
            self.tell(at, taken.message)
        return sheet.kept

    def _tag(self, token: HtmlToken, text: str, at: int) -> str:
        written = _NAME.match(text)
        name = written[1] if written else token.name  # Word heeds the case of some
        is_empty = text.endswith("/>")
        if token.kind is Kind.END:
            if token.name not in WITHOUT_END:
                self._elements.append((f"/{token.name}", at))
            return f"</{name}>"
        if not is_empty and token.name not in WITHOUT_END:
            self._elements.append((token.name, at))
        values = "".join(self._attribute(token.name, *pair, at) for pair in attributes(text))
        return f"<{name}{values}{' />' if is_empty else '>'}"

    def _attribute(self, element: str, name: str, value: str, at: int) -> str:
        reason = self._refused(element, name, value)
        if reason is not None:
            self.tell(at, reason)
            return ""
        if name == "style":
            value, taken_out = style_sheets.cleaned(value)
            for message in taken_out:
                self.tell(at, message)
        return f' {name}="{escape(value)}"'

    def _refused(self, element: str, name: str, value: str) -> str | None:
        allowed = allowed_markup.ATTRIBUTES
        names = allowed["*"] | allowed.get(element, set())
        if ":" in element or element == "xml":
            names = names | allowed_markup.OUTLOOK_ATTRIBUTES
        if name not in names:
            return f"{name} of <{element}> in a conditional comment"
        if name in allowed_markup.ADDRESSES and not self.tags.word.match(value.strip()):
            scheme = web_addresses.scheme(value)
            if scheme and scheme not in allowed_markup.MAY_BEGIN:
                return f"the address {value.strip()[:60]}: mail programs do not open {scheme}:"
        return None
