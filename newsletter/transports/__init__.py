"""The wire: how mail leaves, and the words every transport answers in."""

from newsletter.transports.base import Message, Noted, Outcome, Transport, Unavailable
from newsletter.transports.settings import SmtpSettings, Timeouts
from newsletter.transports.smtp import SmtpTransport

__all__ = [
    "Message",
    "Noted",
    "Outcome",
    "SmtpSettings",
    "SmtpTransport",
    "Timeouts",
    "Transport",
    "Unavailable",
]
