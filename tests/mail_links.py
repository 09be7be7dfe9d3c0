"""The links and identifiers of one mail, made one at a time; the renderer splices them in bulk."""

from newsletter import links
from registrants import tokens
from registrants.tokens import Scope


def one_click(base: str, subscription: int, mailing: int) -> str:
    """Return the URL of the List-Unsubscribe header: GET shows, POST acts (RFC 8058 §3.1)."""
    return f"{base}/u/{tokens.make(Scope.UNSUBSCRIBE, subscription, mailing)}"


def preferences(base: str, subscription: int, mailing: int) -> str:
    """Return the footer's URL: the page to unsubscribe and to choose on (U-26)."""
    return f"{base}/p/{tokens.make(Scope.PREFERENCES, subscription, mailing)}"


def pixel(base: str, delivery: int) -> str:
    """Return the URL of the pixel of one delivery."""
    return f"{base}/i/{tokens.make(Scope.PIXEL, delivery)}"


def click(base: str, delivery: int, link: int) -> str:
    """Return the URL that notes a click of one delivery and leads on to a stored link."""
    return f"{base}/l/{tokens.make(Scope.CLICK, delivery, link)}"


def verp(delivery: int, domain: str) -> str:
    """Return the envelope sender a bounce of one delivery comes back to (M-9)."""
    return links.verp_maker(domain)(delivery)


def message_id(delivery: int, domain: str) -> str:
    """Return the Message-ID of one delivery with its angle brackets (RFC 5322 §3.6.4, M-3)."""
    return f"<{tokens.make(Scope.MESSAGE_ID, delivery)}@{domain}>"
