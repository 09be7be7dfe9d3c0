"""What each mail provider can do and needs to know, for the pages where a sender is set up."""

from newsletter.transports.providers import (
    PROVIDERS,
    Capability,
    Field,
    Provider,
    checklist,
    unfit,
)

__all__ = [
    "PROVIDERS",
    "Capability",
    "Field",
    "Provider",
    "checklist",
    "unfit",
]
