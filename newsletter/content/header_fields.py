"""Header fields as lines of bytes: checked, encoded only where needed, folded, never injectable."""

import base64
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from registrants.host_names import ascii_host

FOLD: Final = 76
SUBJECT_LONGEST: Final = 255
DISPLAY_NAME_CHARACTERS: Final = 120
ADDRESS_LONGEST: Final = 254
LOCAL_LONGEST: Final = 64
RETURN_PATH_LOCAL: Final = 42
"""Characters before the @ of an address bounces come back to: "b+" and a token."""

CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOM: Final = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(
    rf"(?=[^@]{{1,{LOCAL_LONGEST}}}@){_LOCAL.pattern}@{_LABEL}(?:\.{_LABEL})*"
)
_PRINTABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LIST_ID: Final = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^<"]*))\s*<(?P<id>[^<>\s]+)>\s*')


class HeaderFieldError(ValueError):
    """A value that may not stand in a header (M-5)."""


def refuse_controls(value: str, *, longest: int) -> None:
    """Raise HeaderFieldError for control characters, line breaks, or too many characters."""
    match = CONTROLS.search(value)
    if match:
        raise HeaderFieldError(
            f"must not contain a line break or control character (U+{ord(match[0]):04X})"
        )
    if len(value) > longest:
        raise HeaderFieldError(f"has {len(value)} characters; at most {longest} are allowed")


def mailbox(address: str) -> bytes:
    """Return an address as it stands in a header, its domain as A-label (M-10).

    Raises HeaderFieldError for whatever is not one plain address that SMTP takes as well.
    """
    if not _ADDRESS.fullmatch(address):
        address = _with_a_label(address)
    if len(address) > ADDRESS_LONGEST:
        raise HeaderFieldError(f"the address is longer than {ADDRESS_LONGEST} characters")
    return address.encode("ascii")


def _with_a_label(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at:
        raise HeaderFieldError("this is not one plain mail address")
    if local.startswith('"'):
        raise HeaderFieldError("the part before the @ may not stand in quotation marks")
    if not _LOCAL.fullmatch(local):
        raise HeaderFieldError("this is not one plain mail address: look before the @")
    if len(local) > LOCAL_LONGEST:
        raise HeaderFieldError(
            f"the part before the @ has {len(local)} characters; at most {LOCAL_LONGEST} are taken"
        )
    try:
        return f"{local}@{ascii_host(domain)}"
    except ValueError as fault:
        raise HeaderFieldError(f"the part after the @ {fault}") from None


def return_domain(name: str) -> str:
    """Return the domain bounces come back to, as A-label (M-9); raises HeaderFieldError."""
    try:
        domain = ascii_host(name)
    except ValueError as fault:
        raise HeaderFieldError(str(fault)) from None
    longest = ADDRESS_LONGEST - RETURN_PATH_LOCAL - len("@")
    if len(domain) > longest:
        raise HeaderFieldError(f"has {len(domain)} characters; at most {longest} are allowed")
    return domain


def sender(name: str, address: str) -> bytes:
    """Return a display name with its address: quoted where needed, encoded where needed."""
    refuse_controls(name, longest=DISPLAY_NAME_CHARACTERS)
    bare = mailbox(address)
    if not name.strip():
        return bare
    return _followed_by(phrase(name.strip()), b"<" + bare + b">")


def identity_faults(
    *, from_name: str, from_address: str, reply_to: str, bounce_domain: str
) -> dict[str, str]:
    """Return by field what keeps mail from leaving under this identity; empty where nothing does.

    The form of a sender, the checks before a mailing goes and compiling ask here alike.
    """
    comes_back_to = bounce_domain or from_address.rpartition("@")[2]
    checks: list[tuple[str, Callable[[], object]]] = [
        ("from_address", lambda: mailbox(from_address)),
        ("from_name", lambda: refuse_controls(from_name, longest=DISPLAY_NAME_CHARACTERS)),
        ("reply_to", lambda: reply_to and mailbox(reply_to)),
        (
            "bounce_domain" if bounce_domain else "from_address",
            lambda: return_domain(comes_back_to),
        ),
    ]
    faults: dict[str, str] = {}
    for field, check in checks:
        try:
            check()
        except HeaderFieldError as fault:
            faults.setdefault(field, str(fault))
    return faults


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
