"""Liquid tags swapped for opaque words while HTML tools work, and put back after.

HTML tools hoist, escape and cut what they do not know; a plain word survives in an attribute, a
comment in content, even between the rows of a table.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from newsletter.content.errors import SourceError

_TAG: Final = re.compile(
    r"\{%-?\s*raw\s*-?%\}(?P<raw>.*?)\{%-?\s*endraw\s*-?%\}"
    r"|\{%-?\s*comment\b.*?\{%-?\s*endcomment\s*-?%\}"
    r"|\{%-?\s*#.*?%\}|\{\{.*?\}\}|\{%.*?%\}",
    re.DOTALL,
)
_OUTPUT: Final = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)
_BRACE: Final = re.compile(r"\{(?=[{%])")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_LEXED: Final = re.compile(
    r"(?P<comment><!--.*?-->)"
    r"|(?P<element><(?P<name>style|mj-style|script|title|mj-title|mj-preview|textarea)\b.*?"
    r"</(?P=name)\s*>)"
    r"|(?P<tag></?[a-zA-Z!](?:\"[^\"]*\"|'[^']*'|[^\"'>])*>)",
    re.DOTALL | re.IGNORECASE,
)


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
        match = _OUTPUT.fullmatch(self.text)
        return match[2] if match else ""

    def fault(self, message: str) -> SourceError:
        """Return a fault at this tag."""
        return SourceError(self.field, f"{self.text} {message}", self.line, self.column)


class Tags:
    """The tags swapped out of the sources of one mail."""

    def __init__(self, *sources: str) -> None:
        seed = "lqd"
        while any(seed in source.lower() for source in sources):
            seed += "q"
        self._seed = seed
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

        def one(match: re.Match[str]) -> str:
            if match["raw"] is not None:
                return match["raw"].replace("{", self._brace)
            if re.match(r"\{%-?\s*(comment\b|#)", match[0]):
                return ""
            before = source[: match.start()]
            column = match.start() - before.rfind("\n")
            return self.add(Tag(match[0], field, before.count("\n") + 1, column))

        return _TAG.sub(one, source)

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
    out: list[str] = []
    at = 0
    for match in _LEXED.finditer(html):
        out += [change(html[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*out, change(html[at:])])


def each_tag(html: str, change: Callable[[str], str]) -> str:
    """Return HTML with its start and end tags changed, all else left alone."""
    return _LEXED.sub(lambda match: change(match[0]) if match["tag"] else match[0], html)


def with_filter(tag: Tag, name: str) -> Tag:
    """Return an output tag with one more filter at its end."""
    match = _OUTPUT.fullmatch(tag.text)
    if match is None:
        return tag
    text = f"{{{{{match[1]} {match[2]} | {name} {match[3]}}}}}"
    return Tag(text, tag.field, tag.line, tag.column)


def markup_in_strings(tags: list[Tag]) -> list[SourceError]:
    """Return a fault for each string inside a tag that would smuggle markup past the cleaning."""
    return [
        tag.fault("must not hold a < in quotes")
        for tag in tags
        if tag.field and any("<" in quoted for quoted in _QUOTED.findall(tag.text))
    ]
