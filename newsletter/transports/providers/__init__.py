"""Mail out through a provider's API, by way of django-anymail."""

from newsletter.transports.providers.capabilities import Check, Field, Provider
from newsletter.transports.providers.literal import unfit
from newsletter.transports.providers.settings import ProviderSettings, provider_settings
from newsletter.transports.providers.table import PROVIDERS, checklist
from newsletter.transports.providers.transport import ProviderTransport
from newsletter.transports.providers.unpacking import REFERENCE

__all__ = [
    "PROVIDERS",
    "REFERENCE",
    "Check",
    "Field",
    "Provider",
    "ProviderSettings",
    "ProviderTransport",
    "checklist",
    "provider_settings",
    "unfit",
]
