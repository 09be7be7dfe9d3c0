"""What a server's no means: the address is gone, the mail is unwanted, or it asks for patience."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Meaning(StrEnum):
    """Why a message was not taken, as far as the answer tells."""

    GONE = "gone"
    """Nobody has this address, or nobody reads it any more: a hard bounce."""
    UNWANTED = "unwanted"
    """Policy, reputation or authentication: the sender is refused, not the address."""
    PATIENCE = "patience"
    """Greylisted, too fast, or this one mailbox is full or busy: normal, and no fault of ours."""
    TROUBLE = "trouble"
    """Anything else: the server is out of order, or does not like the message itself."""


# The words decide before the codes: servers agree on the words (Gmail says 5.2.1 of a closed
# account and of one that gets too much at once; Yahoo says 554 of somebody it does not know).
_PATIENCE: Final = re.compile(
    r"gr[ae]y-?list|too (?:many|much|fast|quickly)|at a rate|rate.?limit|unusual rate|throttl"
    r"|try again later|quota|mailbox(?: is)? full|storage|deferred|4\.7\.28",
    re.IGNORECASE,
)
_GONE: Final = re.compile(
    r"(?:user|recipient|mailbox|address|account|alias)\b.{0,60}"
    r"(?:unknown|not (?:exist|found|active|available)|n't exist|unavailable|disabled|inactive"
    r"|does ?n[o']t have|invalid|no longer|rejected: access denied|undeliverable)"
    r"|(?:unknown|no such|invalid|non-?existent|not a valid|nonexistent)\b.{0,30}"
    r"(?:user|recipient|mailbox|address|account|person)"
    r"|no (?:mailbox|account) (?:here|by that name)|null mx|does ?n[o']t have an? .{0,40}account",
    re.IGNORECASE,
)
_UNWANTED: Final = re.compile(
    r"spam|policy|block|blacklist|denylist|reputation|unsolicited|abuse|dmarc|dkim|\bspf\b"
    r"|unauthenticated|not authenticated|authenticat|relay|suspicious|reject.{0,30}content"
    r"|ptr record|reverse dns|spamhaus|listed (?:at|in|on|by)|low reputation|not accepted",
    re.IGNORECASE,
)
_SENDERS_OWN: Final = ("5.1.7", "5.1.8", "4.1.7", "4.1.8")
"""Of the 5.1.x, these speak of the sender's address (RFC 3463 §3.2)."""
_FULL: Final = ("2.2", "7.28")
_LEADS: Final = re.compile(r"[45]\.\d{1,3}\.\d{1,3}\b")
_OF_THIS_MAIL: Final = re.compile(
    r"(?<![\w.-])(?!\d{1,3}(?:\.\d{1,3}){2,3}(?![\w.-]))(?=(?:[\w.-]*\d){3})[\w.-]{7,}"
)


def gist(reply_text: str) -> str:
    """Return a server's words without what differs from mail to mail: its ids and times."""
    return _OF_THIS_MAIL.sub("…", reply_text)


@lru_cache(maxsize=1024)
def meaning(code: int, enhanced: str, reply_text: str) -> Meaning:
    """Return what an answer that is not a yes means, by its words, then by its codes.

    RFC 5321 §4.2.3 and RFC 3463 §3 give the codes; the words are those large receivers publish.
    An enhanced code that leads the words is read where none is given apart.
    """
    if not enhanced and (leading := _LEADS.match(reply_text)):
        enhanced = leading[0]
    if _PATIENCE.search(reply_text) or enhanced[2:] in _FULL:
        return Meaning.PATIENCE
    permanent = code >= 500
    if permanent and enhanced not in _SENDERS_OWN and _GONE.search(reply_text):
        return Meaning.GONE
    if _UNWANTED.search(reply_text) or enhanced in _SENDERS_OWN:
        return Meaning.UNWANTED
    return _by_code(code, enhanced)


def _by_code(code: int, enhanced: str) -> Meaning:
    subject = enhanced[2:3]
    if subject == "7":
        return Meaning.UNWANTED
    if subject in ("1", "2"):
        return Meaning.GONE if code >= 500 else Meaning.PATIENCE
    if code in (550, 551) and subject in ("", "0"):
        return Meaning.GONE
    return Meaning.UNWANTED if code == 554 and not subject else Meaning.TROUBLE
