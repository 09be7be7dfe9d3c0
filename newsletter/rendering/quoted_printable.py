"""Text as quoted-printable bytes that may be cut and joined anywhere (RFC 2045 §6.7)."""

import re
from binascii import b2a_qp
from typing import Final

LINE_CHARACTERS: Final = 75
SOFT: Final = b"=\r\n"

_PLAIN = frozenset(range(33, 127)) - {ord("=")} | {ord(" ")}
_CODES: Final = [bytes([c]) if c in _PLAIN else b"=%02X" % c for c in range(256)]
_DOTS_FIRST: Final = re.compile(rb"(^|\n)(\.{1,20})")
_DOT_FIRST: Final = re.compile(rb"(?:^|\n)\.")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_SIMPLE: Final = re.compile(r"(?:[!-<>-~][ !-<>-~]{0,74})?", re.ASCII)


def encode(text: str) -> bytes:
    """Return text as quoted-printable with CRLF, lines of at most 76, none starting with a dot.

    Blanks at the end are safe only before a soft line break or the next part of the line.
    """
    lines = _LINE_END.split(text)
    last = len(lines) - 1
    return b"\r\n".join(_line(line, ends=index < last) for index, line in enumerate(lines))


def encode_part(text: str) -> bytes:
    """Return one filled slot: the same as encode, quick for short plain text."""
    if _SIMPLE.fullmatch(text) and text[:1] != ".":
        return text.encode("ascii")
    if len(text) < 200:
        return encode(text)
    raw = _LINE_END.sub("\r\n", text).encode("utf-8", "replace")
    coded = b2a_qp(raw, quotetabs=False, istext=True)
    if b"\r" not in raw:  # its soft line breaks follow the first line end it saw
        coded = coded.replace(b"\n", b"\r\n")
    if _DOT_FIRST.search(coded):
        coded = _DOTS_FIRST.sub(lambda dots: dots[1] + b"=2E" * len(dots[2]) + SOFT, coded)
        return encode(text) if _DOT_FIRST.search(coded) else coded
    return coded


def _line(line: str, *, ends: bool) -> bytes:
    codes = [_CODES[byte] for byte in line.encode("utf-8", "replace")]
    if ends and codes and codes[-1] == b" ":
        codes[-1] = b"=20"
    rows: list[bytes] = []
    row: list[bytes] = []
    size = 0
    for code in codes:
        if size + len(code) > LINE_CHARACTERS:
            rows.append(b"".join(row))
            row, size = [], 0
        if not row and code == b".":
            code = b"=2E"
        row.append(code)
        size += len(code)
    rows.append(b"".join(row))
    return SOFT.join(rows)
