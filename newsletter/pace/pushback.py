"""Which answers mean "slow down": 421 4.7.28 and its kin, told apart from a full mailbox."""

import re
from typing import TYPE_CHECKING

from newsletter.models import Receiver

if TYPE_CHECKING:
    from newsletter.transports import Outcome

RELAY_SECONDS = 10
"""How long a sender rests after its own mail server said it sends too fast without saying more."""

_CODES = {"4.7.28", "5.7.28", "4.7.500", "4.7.650", "4.7.651", "4.7.652", "4.7.653", "4.7.654"}
"""Gmail's 4.7.28; Outlook's server busy and rate-limited reputation: theirs alone."""

_NAMED = re.compile(
    r"\bunusual rate of (unsolicited )?(mail|email|messages)"  # Gmail 4.7.0, 4.7.28
    r"|\[TSS?\d+\]"  # Yahoo
    r"|\bRP-00[1-9]\b"  # Outlook
    r"|\bunexpected volume or user complaints"  # Yahoo in words
    r"|\btemporarily rate limited due to IP reputation"  # Outlook in words
    r"|\bexceeding rate limits\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r"\brate.?limit|\bthrottl|\btoo many (messages|connections|sessions|e?mails)"
    r"|\btoo (fast|quickly|much mail)\b|\bslow(ing)? down\b|\bRL0000\d\d\b|\bOF[RU]_?\d+_104\b"
    r"|\bHME1\b|\bmaximum number of connections|\bclosing connection\b.*\btry again later"
    r"|\btry again later, closing connection",
    re.IGNORECASE,
)
_MAILBOX = re.compile(r"user you are trying to contact|mailbox|inbox is full", re.IGNORECASE)
_RELAY = re.compile(r"throttling failure|maximum sending rate exceeded", re.IGNORECASE)


def asks_to_slow_down(receiver: int, outcome: "Outcome") -> bool:
    """Tell whether an answer asks for less mail from us, not about the one mailbox.

    Plain words such as "too many connections" count with a receiver we know by name; among all
    others they are one small server's, which must not stop the rest.
    """
    if outcome.state not in ("deferred", "failed", "unsent") or not outcome.code:
        return False
    if outcome.enhanced in _CODES or _NAMED.search(outcome.words):
        return not _MAILBOX.search(outcome.words)
    if receiver == Receiver.REST or not 400 <= outcome.code < 500:
        return False
    return bool(_PLAIN.search(outcome.words)) and not _MAILBOX.search(outcome.words)


def relay_seconds(outcome: "Outcome") -> int:
    """Return how many seconds the sender's own mail server wants to rest; 0: it did not say so."""
    return RELAY_SECONDS if outcome.code == 454 and _RELAY.search(outcome.words) else 0
