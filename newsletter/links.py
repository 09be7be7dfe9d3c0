"""Signed links of a mail, made as whole URLs; registrants.tokens reads them again."""

from collections.abc import Callable

from registrants import tokens

LONGEST = 75
LONGEST_BASE = LONGEST - tokens.LENGTH - len("/u/")


def confirm(base: str, ask: int) -> str:
    """Return the URL of the page that confirms one ask."""
    return f"{base}/y/{tokens.make('y', ask)}"


def never(base: str, ask: int) -> str:
    """Return the URL of the page that says: this was not me, never mail me (U-14)."""
    return f"{base}/n/{tokens.make('n', ask)}"


def choices(base: str, delivery: int) -> str:
    """Return the URL of the "your choices" page, opened by one freshly mailed letter."""
    return f"{base}/d/{tokens.make('d', delivery)}"


def verp_maker(domain: str) -> Callable[[int], str]:
    """Return what makes the envelope sender a bounce of one delivery comes back to (M-9)."""
    make = tokens.base32_maker("b")
    return lambda delivery: f"b+{make(delivery)}@{domain}"
