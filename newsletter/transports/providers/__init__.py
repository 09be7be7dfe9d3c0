"""Mail out through a provider's API, by way of django-anymail."""

from newsletter.transports.providers.capabilities import Check, Field, Provider
from newsletter.transports.providers.settings import ProviderSettings, provider_settings
from newsletter.transports.providers.table import PROVIDERS, checklist

__all__ = [
    "PROVIDERS",
    "Check",
    "Field",
    "Provider",
    "ProviderSettings",
    "checklist",
    "provider_settings",
]
