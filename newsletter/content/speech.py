"""In which language a page speaks and which way it runs, said where mail programs leave it."""

from dataclasses import dataclass
from html import escape
from typing import Final

from newsletter.content import html_tokens
from newsletter.content.attributes import attributes
from newsletter.content.html_tokens import HtmlToken, Kind
from newsletter.content.visibility import Seen

_VOID: Final = frozenset({"area", "br", "hr", "img", "input", "link", "meta", "wbr"})
_NOT_SHOWN: Final = frozenset({"base", "head", "link", "meta", "style", "title"})


@dataclass(frozen=True)
class Speech:
    """The language of a page and whether it runs from right to left."""

    language: str = "und"
    is_right_to_left: bool = False

    @property
    def direction(self) -> str:
        """Return what `dir` says."""
        return "rtl" if self.is_right_to_left else "ltr"


def spoken(page: str, speech: Speech) -> str:
    """Return a page that says its language and direction on <html> and on what clients keep of it.

    Many strip <html> and <body>: the first element within says it too, and so does a hidden
    preheader before it. What an author wrote stays, and holds for the rest.
    """
    says = {"lang": escape(speech.language), "dir": speech.direction}
    out: list[str] = []
    hidden: list[str] = []
    at = 0
    for token in html_tokens.tokens(page):
        text = page[token.start : token.end]
        if hidden:
            _follow(hidden, token)
            continue
        if token.kind is not Kind.START or token.name in _NOT_SHOWN | {"body"}:
            continue
        written = dict(reversed(list(attributes(text))))
        if token.name == "html":
            says |= {name: written[name] for name in says if written.get(name)}
        name_end = token.start + 1 + len(token.name)
        out.append(page[at:name_end])
        out += [f' {name}="{value}"' for name, value in says.items() if name not in written]
        at = name_end
        if token.name == "html":
            continue
        seen = Seen().within(written.get("style", ""), is_hidden="hidden" in written)
        if seen.can_be_seen:
            break
        if token.name not in _VOID:
            hidden.append(token.name)
    return "".join([*out, page[at:]])


def _follow(hidden: list[str], token: HtmlToken) -> None:
    """Keep count of elements of one name within a hidden one, until it ends."""
    if token.name == hidden[0] and token.kind is Kind.START:
        hidden.append(token.name)
    elif token.name == hidden[0] and token.kind is Kind.END:
        hidden.pop()
