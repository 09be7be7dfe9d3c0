"""The wire: how mail leaves, and the words every transport answers in."""

from newsletter.transports.base import Message, Note, Outcome, Transport, Unavailable
from newsletter.transports.providers import (
    PROVIDERS,
    ProviderSettings,
    checklist,
    provider_settings,
)
from newsletter.transports.settings import SmtpSettings, Timeouts
from newsletter.transports.smtp import SmtpTransport

__all__ = [
    "PROVIDERS",
    "Message",
    "Note",
    "Outcome",
    "ProviderSettings",
    "SmtpSettings",
    "SmtpTransport",
    "Timeouts",
    "Transport",
    "Unavailable",
    "checklist",
    "provider_settings",
]
