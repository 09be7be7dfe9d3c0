"""What the server says: replies cut from the stream, and words fit to be kept."""

import re
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
_SPACES: Final = re.compile(r"\s+")


class Reply(NamedTuple):
    """One reply: its code and its lines, joined with line feeds."""

    code: int
    text: str

    @property
    def enhanced(self) -> str:
        """Return the enhanced status code where one of the reply's own class leads (RFC 2034)."""
        found = _ENHANCED.match(self.text)
        return found[1] if found and int(found[1][0]) == self.code // 100 else ""

    @property
    def words(self) -> str:
        """Return the reply's words, without codes and without any e-mail address."""
        lines = self.text.split("\n")
        return kept_words(" ".join(_ENHANCED.sub("", line, count=1) for line in lines))


def kept_words(text: str) -> str:
    """Take addresses and control characters out of a server's words, at most 500 characters."""
    text = text[: 8 * WORDS_LIMIT]
    if not text.isprintable():
        text = "".join(each if each.isprintable() else " " for each in text)
    if "@" in text or "%40" in text:
        text = _ADDRESS.sub("<address>", text)
    return _SPACES.sub(" ", text).strip()[:WORDS_LIMIT]


class ReplyReader:
    """Cuts replies from the stream; after garbage it reads no more."""

    __slots__ = ("_code", "_lines", "_rest", "garbage")

    def __init__(self) -> None:
        self._rest = b""
        self._code = b""
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
        at = 0
        while line := _LINE.match(buffer, at):
            at = line.end()
            code, mark, text = line.groups(b"")
            if mark == b" " and not self._lines:
                replies.append(Reply(int(code), text.decode("utf-8", "replace")))
            elif not self._take(code, mark, text, replies):
                self.garbage = True
                return replies
        self._rest = buffer[at:] if at else buffer
        self.garbage = len(self._rest) > LINE_LIMIT or b"\n" in self._rest
        return replies

    def _take(self, code: bytes, mark: bytes, text: bytes, replies: list[Reply]) -> bool:
        """Add one line of a reply of several lines; False where it does not fit the others."""
        if self._lines and code != self._code:
            return False
        self._code = code
        self._lines.append(text.decode("utf-8", "replace"))
        if mark != b"-":
            replies.append(Reply(int(code), "\n".join(self._lines)))
            self._lines = []
        return len(self._lines) < LINES_LIMIT
