"""Header fields as lines of bytes: checked, encoded only where needed, folded, never injectable."""

import base64
import re
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, validate_email

FOLD: Final = 76
SUBJECT_LONGEST: Final = 255
DISPLAY_NAME_CHARACTERS: Final = 120

CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_LOCAL}@{_DOMAIN}")
_PRINTABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LIST_ID: Final = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^<"]*))\s*<(?P<id>[^<>\s]+)>\s*')


class HeaderFieldError(ValueError):
    """A value that may not stand in a header (M-5)."""


def refuse_controls(value: str, *, longest: int) -> None:
    """Raise Unfit where a header value has control characters, line breaks, or is too long."""
    match = CONTROLS.search(value)
    if match:
        raise HeaderFieldError(
            f"must not contain a line break or control character (U+{ord(match[0]):04X})"
        )
    if len(value) > longest:
        raise HeaderFieldError(f"has {len(value)} characters; at most {longest} are allowed")


def mailbox(address: str) -> bytes:
    """Return an address as it stands in a header, its domain as A-label (M-10).

    Raises Unfit for whatever is not one plain address.
    """
    if not _ADDRESS.fullmatch(address):
        address = _with_a_label(address)
    if len(address) > 254:
        raise HeaderFieldError("the address is longer than 254 characters")
    return address.encode("ascii")


def _with_a_label(address: str) -> str:
    try:
        checked = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError:
        raise HeaderFieldError("this is not one plain mail address") from None
    ascii_form = checked.ascii_email or ""
    if not _ADDRESS.fullmatch(ascii_form):
        raise HeaderFieldError("this is not one plain mail address")
    return ascii_form


def sender(name: str, address: str) -> bytes:
    """Return a display name with its address: quoted where needed, encoded where needed."""
    refuse_controls(name, longest=DISPLAY_NAME_CHARACTERS)
    bare = mailbox(address)
    if not name.strip():
        return bare
    return _followed_by(phrase(name.strip()), b"<" + bare + b">")


def phrase(name: str) -> bytes:
    """Return a display name (RFC 5322 §3.2.5) on as many lines as it needs."""
    if _ATOMS.fullmatch(name) and "=?" not in name:
        return _folded(name.encode(), used=10)
    if _PRINTABLE.fullmatch(name) and "=?" not in name and len(name) < 60:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return b'"' + quoted.encode() + b'"'
    return _encoded_words(name, used=10)


def list_id(value: str) -> bytes:
    """Return a List-Id from '"Name" <slug.domain>' (RFC 2919 §2); raises HeaderFieldError."""
    refuse_controls(value, longest=SUBJECT_LONGEST)
    match = _LIST_ID.fullmatch(value) or _LIST_ID.fullmatch(f"<{value}>")
    if match is None or not _PRINTABLE.fullmatch(match["id"]):
        raise HeaderFieldError('must look like "Name" <list.example.org>')
    name = (match["quoted"] or match["bare"] or "").strip()
    identifier = f"<{match['id']}>".encode()
    return _followed_by(phrase(name), identifier) if name else identifier


def _followed_by(before: bytes, after: bytes) -> bytes:
    last = len(before) - before.rfind(b"\n")
    fits = last + len(after) + len(b"Reply-To: ") <= FOLD
    return before + (b" " if fits else b"\r\n ") + after


def one_line(text: str) -> str:
    """Return personal text fit for a header: no control characters, single blanks, capped."""
    return " ".join(CONTROLS.sub(" ", text).split())[:SUBJECT_LONGEST].rstrip()


def unstructured(text: str, *, used: int) -> bytes:
    """Return a Subject's value, plain where ASCII, else RFC 2047; `used` columns are taken."""
    if not text:
        return b""
    if _PRINTABLE.fullmatch(text) and "=?" not in text:
        if len(text) + used <= FOLD:
            return text.encode()
        if max(map(len, text.split(" "))) < FOLD and "  " not in text:
            return _folded(text.encode(), used=used)
    return _encoded_words(text, used=used)


def _folded(text: bytes, *, used: int) -> bytes:
    lines: list[bytes] = []
    line = b""
    for word in text.split(b" "):
        if line and used + len(line) + 1 + len(word) > FOLD:
            lines.append(line)
            line, used = word, 1
        else:
            line = line + b" " + word if line else word
    return b"\r\n ".join([*lines, line])


@lru_cache(maxsize=512)
def _encoded_words(text: str, *, used: int) -> bytes:
    """RFC 2047 §2: each word at most 75 characters, never a character cut in two."""
    chunks: list[bytes] = []
    room = (FOLD - used - 12) // 4 * 3
    chunk = b""
    for character in text:
        raw = character.encode("utf-8", "replace")
        if len(chunk) + len(raw) > room:
            chunks.append(chunk)
            chunk, room = b"", 45
        chunk += raw
    chunks.append(chunk)
    return b"\r\n ".join(b"=?utf-8?b?" + base64.b64encode(word) + b"?=" for word in chunks)
