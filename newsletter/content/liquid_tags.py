"""Liquid tags swapped for opaque words while HTML tools work, and put back after.

HTML tools hoist, escape and cut what they do not know; a plain word survives in an attribute, a
comment in content, even between the rows of a table.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from newsletter.content import html_tokens
from newsletter.content.errors import SourceError
from newsletter.content.html_tokens import Kind
from newsletter.content.liquid_lexer import Lines, pieces

_BRACE: Final = re.compile(r"\{(?=[{%])")
_SEED: Final = re.compile(r"lqd(q*)")
_COMMENTED: Final = {"comment": 1, "endcomment": -1}
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")


@dataclass(frozen=True)
class Tag:
    """One Liquid tag as written, and where its author wrote it."""

    text: str
    field: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def is_output(self) -> bool:
        """Say whether it writes a value, rather than deciding about what follows."""
        return self.text.startswith("{{")

    @property
    def expression(self) -> str:
        """Return what stands between the braces of an output."""
        return self.text[2:-2].removeprefix("-").removesuffix("-").strip() if self.is_output else ""

    def fault(self, message: str) -> SourceError:
        """Return a fault at this tag."""
        return SourceError(self.field, f"{self.text} {message}", self.line, self.column)


class Tags:
    """The tags swapped out of the sources of one mail."""

    def __init__(self, *sources: str) -> None:
        known = [match[1] for source in sources for match in _SEED.finditer(source.lower())]
        seed = self._seed = "lqd" + (max(known, key=len) + "q" if known else "")
        self.tags: list[Tag] = []
        self.word: re.Pattern[str] = re.compile(rf"{seed}(\d+)x", re.IGNORECASE)
        self.comment: re.Pattern[str] = re.compile(rf"<!--{seed}(\d+)x-->", re.IGNORECASE)
        self.any: re.Pattern[str] = re.compile(
            rf"<!--{seed}(?P<a>\d+)x-->|{seed}(?P<b>\d+)x(?:=\"\")?", re.IGNORECASE
        )
        self._brace = self.add(Tag('{{ "{" }}'))

    def add(self, tag: Tag) -> str:
        """Take a tag in and return its word."""
        self.tags.append(tag)
        return f"{self._seed}{len(self.tags) - 1}x"

    def of(self, match: re.Match[str]) -> Tag:
        """Return the tag a match of `word` or `comment` stands for."""
        return self.tags[int(match[1])]

    def swap(self, source: str, *, field: str) -> str:
        """Return a source with a word in place of each Liquid tag; Liquid comments are gone."""
        lines = Lines(source)
        depth = 0
        out: list[str] = []
        for piece in pieces(source):
            was, depth = depth, max(0, depth + _COMMENTED.get(piece.name, 0))
            text = source[piece.start : piece.end]
            if was or depth or piece.name == "#":
                continue
            if piece.kind == "raw":
                out.append(source[slice(*piece.inner)].replace("{", self._brace))
            elif piece.kind in ("output", "tag"):
                out.append(self.add(Tag(text, field, *lines.of(piece.start))))
            else:
                out.append(text)
        return "".join(out)

    def as_comments(self, html: str) -> str:
        """Return HTML with the words in its content as comments; attributes keep plain words."""
        return between(html, lambda text: self.word.sub(lambda match: f"<!--{match[0]}-->", text))

    def missing_from(self, html: str) -> list[Tag]:
        """Return the tags of authors that an HTML tool dropped because of where they stood."""
        kept = {int(match[1]) for match in self.word.finditer(html)}
        return [tag for index, tag in enumerate(self.tags) if tag.field and index not in kept]

    def into_html(self, html: str) -> str:
        """Return HTML with the Liquid tags put back; every other brace stays a brace."""
        html = _BRACE.sub("&#123;", html)
        return self.any.sub(lambda match: self._back(match, "&#123;"), html)

    def into_text(self, text: str) -> str:
        """Return plain text with the Liquid tags put back; every other brace stays a brace."""
        text = _BRACE.sub('{{ "{" }}', text)
        return self.any.sub(lambda match: self._back(match, '{{ "{" }}'), text)

    def _back(self, match: re.Match[str], brace: str) -> str:
        index = int(match["a"] or match["b"])
        return brace if index == 0 else self.tags[index].text


def between(html: str, change: Callable[[str], str]) -> str:
    """Return HTML with its plain content changed, tags, comments, styles and titles left alone."""
    return _changed(html, change, Kind.TEXT)


def _changed(html: str, change: Callable[[str], str], *kinds: Kind) -> str:
    texts = ((token.kind, html[token.start : token.end]) for token in html_tokens.tokens(html))
    return "".join(change(text) if kind in kinds else text for kind, text in texts)


def with_filter(tag: Tag, name: str) -> Tag:
    """Return an output tag with one more filter at its end."""
    if not tag.is_output:
        return tag
    inner = tag.text[2:-2]
    left, right = "-" * inner.startswith("-"), "-" * (len(inner) > 1 and inner.endswith("-"))
    text = f"{{{{{left} {tag.expression} | {name} {right}}}}}"
    return Tag(text, tag.field, tag.line, tag.column)


def markup_in_strings(tags: list[Tag]) -> list[SourceError]:
    """Return a fault for each string inside a tag that would smuggle markup past the cleaning."""
    return [
        tag.fault("must not hold a < in quotes")
        for tag in tags
        if tag.field and any("<" in quoted for quoted in _QUOTED.findall(tag.text))
    ]
