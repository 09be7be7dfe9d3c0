"""What the server says: replies cut from the stream, and words fit to be kept."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

LINE_LIMIT: Final = 2048
"""Octets in one reply line; RFC 5321 §4.5.3.1.5 says 512, real servers say more."""
LINES_LIMIT: Final = 100
WORDS_LIMIT: Final = 500

_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?\r?\n")
_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_ADDRESS: Final = re.compile(
    r"""<?(?:"[^"\r\n]{0,100}"|[^\s<>()\[\],;:"@]{1,256})(?:@|%40)"""
    r"""(?:\[[^\]\s]{1,100}\]|[^\s<>()\[\],;:"'@&]{1,256})>?""",
    re.IGNORECASE,
)


class Reply(NamedTuple):
    """One reply: its code and its lines, joined with line feeds."""

    code: int
    text: str

    @property
    def enhanced(self) -> str:
        """Return the enhanced status code where one of the reply's own class leads (RFC 2034)."""
        return _understood(self.code, self.text)[0]

    @property
    def words(self) -> str:
        """Return the reply's words, without codes and without any e-mail address."""
        return _understood(self.code, self.text)[1]


@lru_cache(maxsize=64)
def _understood(code: int, text: str) -> tuple[str, str]:
    """Return a reply's enhanced code and its words; servers say the same few things all day."""
    lines = [(_ENHANCED.match(line), line) for line in text.split("\n")]
    first = lines[0][0]
    enhanced = first[1] if first and int(first[1][0]) == code // 100 else ""
    bare = [line[coded.end() :] if coded else line for coded, line in lines]
    return enhanced, redacted(" ".join(bare))


def redacted(text: str) -> str:
    """Take addresses and control characters out of a server's words, at most 500 characters."""
    text = text[: 8 * WORDS_LIMIT]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    if "@" in text or "%40" in text:
        text = _ADDRESS.sub("<address>", text)
    return " ".join(text.split())[:WORDS_LIMIT]


class ReplyReader:
    """Cuts replies from the stream; after garbage it reads no more."""

    __slots__ = ("_code", "_lines", "_rest", "garbage")

    def __init__(self) -> None:
        self._rest = b""
        self._code = 0
        self._lines: list[str] = []
        self.garbage = False

    @property
    def has_more(self) -> bool:
        """Whether part of a reply is waiting for its end."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> list[Reply]:
        """Return the replies that are complete; sets ``garbage`` where what follows is none."""
        replies: list[Reply] = []
        if self.garbage:
            return replies
        buffer = self._rest + data if self._rest else data
        pieces = buffer.splitlines(keepends=True)
        self._rest = b"" if buffer.endswith(b"\n") else pieces.pop() if pieces else b""
        for piece in pieces:
            line = _read_line(piece)
            if line is None:
                self.garbage = True
                return replies
            is_last, reply = line
            if is_last and not self._lines:
                replies.append(reply)
            elif not self._take(is_last, reply, replies):
                self.garbage = True
                return replies
        self.garbage = len(self._rest) > LINE_LIMIT
        return replies

    def _take(self, is_last: bool, line: Reply, replies: list[Reply]) -> bool:
        """Add one line of a reply of several lines; False where it does not fit the others."""
        if self._lines and line.code != self._code:
            return False
        self._code = line.code
        self._lines.append(line.text)
        if is_last:
            replies.append(Reply(line.code, "\n".join(self._lines)))
            self._lines = []
        return len(self._lines) < LINES_LIMIT


# Servers say the same few lines all day; nothing longer than those is kept.
def _read_line(line: bytes) -> tuple[bool, Reply] | None:
    return _usual_line(line) if len(line) < 32 else _any_line(line)


def _any_line(line: bytes) -> tuple[bool, Reply] | None:
    match = _LINE.fullmatch(line) if len(line) <= LINE_LIMIT else None
    if match is None:
        return None
    code, mark, text = match.groups(b"")
    return mark != b"-", Reply(int(code), text.decode("utf-8", "replace"))


_usual_line = lru_cache(maxsize=64)(_any_line)
