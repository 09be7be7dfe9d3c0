"""Mail out through a provider's API, by way of django-anymail."""

from typing import TYPE_CHECKING, Any

from newsletter.transports.providers.capabilities import REFERENCE, Capability, Field, Provider
from newsletter.transports.providers.catalogue import PROVIDERS, checklist
from newsletter.transports.providers.placeholders import unfit
from newsletter.transports.providers.settings import ProviderSettings, provider_settings

if TYPE_CHECKING:
    from newsletter.transports.providers.transport import ProviderTransport

__all__ = [
    "PROVIDERS",
    "REFERENCE",
    "Capability",
    "Field",
    "Provider",
    "ProviderSettings",
    "ProviderTransport",
    "checklist",
    "provider_settings",
    "unfit",
]


def __getattr__(name: str) -> Any:
    """Load the providers' libraries, 30 MB of memory, only where somebody sends by one."""
    if name == "ProviderTransport":
        from newsletter.transports.providers.transport import ProviderTransport

        return ProviderTransport
    raise AttributeError(name)
