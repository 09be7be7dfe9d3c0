"""Liquid cut into pieces in linear time, as python-liquid's own lexer cuts it.

Its patterns begin anew at each brace and read to the end; a text of braces alone takes minutes.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, NamedTuple

from liquid.exceptions import LiquidSyntaxError
from liquid.token import (
    TOKEN_COMMENT,
    TOKEN_CONTENT,
    TOKEN_EOF,
    TOKEN_EXPRESSION,
    TOKEN_OUTPUT,
    TOKEN_TAG,
    Token,
)

_OPENING: Final = re.compile(r"\{[{%]")
_NAME: Final = re.compile(r"\{%-?\s*+(#|\w++)")
_RAW: Final = re.compile(r"\{%-?\s*+raw\s*+(-?)%\}")
_NESTING: Final = re.compile(r"[\[(]|\b(?:and|or)\b")
LONGEST_TAG: Final = 2_000
"""Characters of one tag: python-liquid's reading of it grows with the square of its length."""
DEEPEST_TAG: Final = 100
"""Brackets and "and" or "or" in one tag, each of which python-liquid answers by recursion."""
_END_RAW: Final = re.compile(r"\{%-?\s*+endraw\s*+(-?)%\}")


class LiquidPiece(NamedTuple):
    """One piece: source[start:end], and within it the words that count."""

    kind: str
    """content, raw, output, tag, or unclosed: braces that open and never close."""
    start: int
    end: int
    inner: tuple[int, int]
    """Where raw text, or what an output or a tag says after its name, begins and ends."""
    name: str = ""
    name_at: int = 0
    trims: bool = False
    """Whether blanks after it are dropped."""


class _Ends:
    """Finds what closes a piece; what is not there is looked for once."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.missing: set[str] = set()
        self.no_end_of_raw = False

    def find(self, closing: str, at: int) -> int:
        end = -1 if closing in self.missing else self.source.find(closing, at)
        if end < 0:
            self.missing.add(closing)
        return end

    def end_of_raw(self, at: int) -> re.Match[str] | None:
        match = None if self.no_end_of_raw else _END_RAW.search(self.source, at)
        self.no_end_of_raw = match is None
        return match


def pieces(source: str) -> Iterator[LiquidPiece]:
    """Yield the pieces of a source that together are all of it."""
    ends = _Ends(source)
    at = 0
    while at < len(source):
        piece = _braces(source, at, ends) if _OPENING.match(source, at) else None
        if piece is None:
            following = _OPENING.search(source, at + 1)
            end = following.start() if following else len(source)
            kind = "unclosed" if source.startswith(("{{", "{%"), at, end) else "content"
            piece = LiquidPiece(kind, at, end, (at, end))
        yield piece
        at = piece.end


def _braces(source: str, at: int, ends: _Ends) -> LiquidPiece | None:
    if source.startswith("{{", at):
        return _closed(source, at, at + 2, ends.find("}}", at + 2), "output")
    if (raw := _RAW.match(source, at)) and (end_of_raw := ends.end_of_raw(raw.end())):
        inner = (raw.end(), end_of_raw.start())
        return LiquidPiece("raw", at, end_of_raw.end(), inner, trims=bool(raw[1]))
    name = _NAME.match(source, at)
    if name is None:
        return None
    piece = _closed(source, at, name.end(), ends.find("%}", name.end()), "tag")
    return piece and piece._replace(name=name[1], name_at=name.start(1))


def _closed(source: str, at: int, begin: int, end: int, kind: str) -> LiquidPiece | None:
    if end < 0:
        return None
    if kind == "output" and source.startswith("-", begin) and begin < end:
        begin += 1
    trims = begin < end and source[end - 1] == "-"
    text = source[begin : end - trims]
    inner = begin + len(text) - len(text.lstrip())
    return LiquidPiece(kind, at, end + 2, (inner, inner + len(text.strip())), trims=trims)


def tokenize(source: str) -> Iterator[Token]:
    """Yield the tokens python-liquid's parser reads.

    Raises LiquidSyntaxError at braces that never close.
    """
    trims = False
    depth, began = 0, 0
    comment: list[str] = []
    for piece in pieces(source):
        text = source[piece.start : piece.end]
        if depth:
            depth += {"comment": 1, "endcomment": -1}.get(piece.name, 0)
            if depth:
                comment.append(text)
                continue
            yield Token(TOKEN_COMMENT, "".join(comment), began, source)
            yield Token(TOKEN_TAG, piece.name, piece.name_at, source)
            comment, began, trims = [], 0, piece.trims
            continue
        match piece.kind:
            case "content":
                yield from _content(source, piece, trims=trims)
                continue
            case "unclosed":
                output = text.startswith("{{")
                message = (
                    "expected '}}', found end of file"
                    if output
                    else "missing tag name or closing delimiter"
                )
                token = Token(TOKEN_EOF, text, piece.start, source)
                raise LiquidSyntaxError(message, token=token)
            case "output" | "tag" if message := _too_much(source[slice(*piece.inner)]):
                raise LiquidSyntaxError(message, token=Token(TOKEN_TAG, text, piece.start, source))
            case "raw":
                yield Token(TOKEN_CONTENT, source[slice(*piece.inner)], piece.start, source)
            case "output":
                yield Token(TOKEN_OUTPUT, text, piece.start, source)
                yield Token(TOKEN_EXPRESSION, source[slice(*piece.inner)], piece.inner[0], source)
            case _:
                yield Token(TOKEN_TAG, piece.name, piece.name_at, source)
                if piece.inner[1] > piece.inner[0]:
                    expression = source[slice(*piece.inner)]
                    yield Token(TOKEN_EXPRESSION, expression, piece.inner[0], source)
                if piece.name == "comment":
                    depth, began = 1, piece.end
        trims = piece.trims


def _too_much(expression: str) -> str:
    if len(expression) > LONGEST_TAG:
        return f"a tag of more than {LONGEST_TAG:,} characters"
    if len(_NESTING.findall(expression)) > DEEPEST_TAG:
        return f"a tag with more than {DEEPEST_TAG} brackets, “and” and “or”"
    return ""


def _content(source: str, piece: LiquidPiece, *, trims: bool) -> Iterator[Token]:
    """Yield text without the blanks its neighbours drop; python-liquid parts off a last newline."""
    end = piece.end
    last = end == len(source) and source.endswith("\n") and end - piece.start > 1
    spans = [(piece.start, end - 1), (end - 1, end)] if last else [(piece.start, end)]
    for start, stop in spans:
        text = source[start:stop]
        if trims:
            text = text.lstrip()
        if end < len(source) and source.startswith("-", end + 2):
            text = text.rstrip()
        if text:
            yield Token(TOKEN_CONTENT, text, start, source)


class Lines:
    """Lines and columns of one source, counted from 1."""

    def __init__(self, source: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self._length = len(source)

    def of(self, index: int) -> tuple[int, int]:
        """Return line and column of an index."""
        index = min(max(index, 0), self._length)
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1
