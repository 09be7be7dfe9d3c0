"""One rule for the name of a host or domain: what DNS, a header and the envelope all take."""

import re
from typing import Final

import idna

HOST_LONGEST: Final = 253
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def ascii_host(name: str) -> str:
    """Return a host name in lower case, every label as A-label (RFC 5890 §2.3.2.1).

    Raises ValueError, in words that follow what the name is of, where DNS could not hold it.
    """
    host = name.lower() if name.isascii() else _a_labels(name)
    if len(host) > HOST_LONGEST or not _HOST.fullmatch(host):
        raise ValueError("is no host name, such as news.example.org")
    return host


def ascii_domain(name: str) -> str:
    """Return a domain mail can come from or go to: a host name of two labels or more.

    Raises ValueError as ascii_host does; a number at the end is an address, not a name.
    """
    host = ascii_host(name)
    last = host.rpartition(".")[2]
    if "." not in host or last.isdecimal():
        raise ValueError("is no domain, such as news.example.org")
    return host


def _a_labels(name: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise ValueError("has letters no host name has") from None
