"""Every signed URL of a mail, and its VERP address; registrants.tokens reads them again."""

from collections.abc import Callable

from registrants import tokens
from registrants.tokens import Scope
from registrants.tokens.bulk import base32_maker, maker

LONGEST_BASE = tokens.URL_LONGEST - tokens.LENGTH - len(Scope.UNSUBSCRIBE.path)
"""Characters before the path of a link: scheme and host."""


def confirm(base: str, ask: int) -> str:
    """Return the URL of the page that confirms one ask."""
    return _url(base, Scope.CONFIRM, ask)


def never(base: str, ask: int) -> str:
    """Return the URL of the page that says: this was not me, never mail me (U-14)."""
    return _url(base, Scope.NOT_ME, ask)


def choices(base: str, delivery: int) -> str:
    """Return the URL of the "your choices" page, opened by one freshly mailed letter."""
    return _url(base, Scope.CHOICES, delivery)


def of_a_test(base: str, client: int) -> str:
    """Return the URL every link of a test mail has: it says that this was a test, and no more."""
    return _url(base, Scope.TEST, client)


def bounce_of_a_test(domain: str) -> str:
    """Return an envelope sender of the form real mail has, whose bounce names nothing."""
    return f"{Scope.BOUNCE}+{tokens.make_base32(Scope.TEST, 0)}@{domain}"


def _url(base: str, scope: Scope, number: int) -> str:
    return before_token(base, scope) + tokens.make(scope, number)


def before_token(base: str, scope: Scope) -> str:
    """Return what stands before the token in every URL of a scope."""
    return f"{base}{scope.path}"


def url_maker(base: str, scope: Scope) -> Callable[[int, int], str]:
    """Return a maker of whole URLs of one scope by number and detail, for places that make many.

    UNSUBSCRIBE (RFC 8058 §3.1) and PREFERENCES (U-26) name a subscription and a mailing, PIXEL a
    delivery, CLICK a delivery and a link.
    """
    start, make = before_token(base, scope), maker(scope)
    return lambda number, detail: start + make(number, detail)


def verp_maker(domain: str) -> Callable[[int], str]:
    """Return what makes the envelope sender a bounce of one delivery comes back to (M-9)."""
    make, start = base32_maker(Scope.BOUNCE), f"{Scope.BOUNCE}+"
    return lambda delivery: f"{start}{make(delivery)}@{domain}"
