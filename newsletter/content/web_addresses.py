"""Addresses as a browser reads them: what it would ask for, and which may stand in mail."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import ada_url

_HARMFUL: Final = ("javascript", "vbscript", "data", "file", "blob", "livescript", "mhtml")
_REMOVED: Final = re.compile("[\t\n\r]")
_AROUND: Final = "".join(map(chr, range(33)))
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_SCHEME: Final = re.compile(r"([^/?#:\\]*):")
_WRITTEN: Final = "/:?#[]@!$&'()*+,;=%~-._{}"


def tidy(text: str) -> str:
    """Return an address without what a browser leaves out before reading it."""
    return _SURROGATES.sub("\ufffd", _REMOVED.sub("", text.strip(_AROUND)))


def asked_for(text: str) -> str | None:
    """Return what a browser would ask the web for, None where that is nothing (WHATWG URL)."""
    try:
        url = ada_url.URL(tidy(text))
    except ValueError:
        return None
    if url.protocol not in ("http:", "https:"):
        return None
    if "|" in url.pathname:
        url.pathname = url.pathname.replace("|", "%7C")  # as browsers do, before the standard
    return str(url.href)


def encoded(text: str) -> str:
    """Return a part of an address with what may not stand in one percent-encoded."""
    return quote(_REMOVED.sub("", text), safe=_WRITTEN, errors="replace")


def scheme(text: str) -> str:
    """Return what stands before the first colon of an address, in lower case; "" without one."""
    match = _SCHEME.match(tidy(text))
    return match[1].lower() if match else ""


def is_harmless(pieces: Sequence[str]) -> bool:
    """Say whether an address, given as what stands between its Liquid tags, cannot act (S-2).

    A value or a choice may stand in each gap, so no piece after one may end a harmful scheme.
    """
    first, *rest = map(tidy, pieces)
    match = _SCHEME.match(first)
    if match or not rest:
        return not match or match[1].lower() not in _HARMFUL
    if re.search(r"[/?#\\]", first):
        return True
    starts = [match[1].lower() for piece in rest if (match := _SCHEME.match(piece))]
    return not any(name.endswith(start) for start in starts for name in _HARMFUL)
