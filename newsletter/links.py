"""Signed links of a mail, made as whole URLs; registrants.tokens reads them again."""

from collections.abc import Callable

from registrants import tokens

LONGEST = 75
LONGEST_BASE = LONGEST - tokens.LENGTH - len("/u/")


def one_click(base: str, subscription: int, mailing: int) -> str:
    """Return the URL of the List-Unsubscribe header: GET shows, POST acts (RFC 8058 §3.1)."""
    return f"{base}/u/{tokens.make('u', subscription, mailing)}"


def preferences(base: str, subscription: int, mailing: int) -> str:
    """Return the footer's URL: the page to unsubscribe and to choose on (U-26)."""
    return f"{base}/p/{tokens.make('p', subscription, mailing)}"


def pixel(base: str, delivery: int) -> str:
    """Return the URL of the pixel of one delivery."""
    return f"{base}/i/{tokens.make('i', delivery)}"


def click(base: str, delivery: int, link: int) -> str:
    """Return the URL that notes a click of one delivery and leads on to a stored link."""
    return f"{base}/l/{tokens.make('l', delivery, link)}"


def confirm(base: str, ask: int) -> str:
    """Return the URL of the page that confirms one ask."""
    return f"{base}/y/{tokens.make('y', ask)}"


def never(base: str, ask: int) -> str:
    """Return the URL of the page that says: this was not me, never mail me (U-14)."""
    return f"{base}/n/{tokens.make('n', ask)}"


def choices(base: str, delivery: int) -> str:
    """Return the URL of the "your choices" page, opened by one freshly mailed letter."""
    return f"{base}/d/{tokens.make('d', delivery)}"


def verp(delivery: int, domain: str) -> str:
    """Return the envelope sender a bounce of one delivery comes back to (M-9)."""
    return verp_maker(domain)(delivery)


def verp_maker(domain: str) -> Callable[[int], str]:
    """Return what `verp` does, for places that make many."""
    make = tokens.base32_maker("b")
    return lambda delivery: f"b+{make(delivery)}@{domain}"


def message_id(delivery: int, domain: str) -> str:
    """Return the Message-ID of one delivery with its angle brackets (RFC 5322 §3.6.4, M-3)."""
    return f"<{tokens.make('m', delivery)}@{domain}>"
