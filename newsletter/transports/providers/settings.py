"""Which provider, with which credentials, and how long to wait for it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from newsletter.transports.providers.catalogue import PROVIDERS
from newsletter.transports.reach import REFUSED, Guard

CONNECT: Final = 5.0
READ: Final = 60.0
CREDENTIAL_CHARACTERS: Final = 2000
"""Characters in one credential."""


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """One provider and one sign-in to it; raises ValueError for what cannot work."""

    provider: str
    credentials: Mapping[str, str] = field(repr=False)
    api_url: str = ""
    """Another address of the API; empty: the provider's own."""
    connect: float = CONNECT
    """Seconds to wait for a connection (A-8)."""
    read: float = READ
    """Seconds to wait for an answer (A-8)."""
    pause: float = 0.5
    """Seconds before a lost call is made again, where a repeated one is recognised (A-13)."""
    connections: int = 1
    """Calls made side by side."""
    batches: bool = True
    """Whether to use batches where the provider's are exact (A-1)."""

    guard: Guard | None = None
    """Where the API's address may lead, for one that staff typed."""

    def __post_init__(self) -> None:
        if self.provider not in PROVIDERS:
            raise ValueError("no such provider")
        if not 1 <= self.connections <= 100:
            raise ValueError("the number of connections is out of range")
        if self.api_url:
            _check_address(self.api_url)
            host = urlsplit(self.api_url).hostname or ""
            if self.guard is not None and self.guard.refuses_literal(host):
                raise ValueError(f"api_url cannot be used: {REFUSED}")


def provider_settings(provider: str, credentials: Mapping[str, object]) -> ProviderSettings:
    """Return the settings for credentials as a person typed them in.

    Besides the provider's own fields an ``api_url`` is understood for each. Raises ValueError,
    which names the field and never repeats what was typed.
    """
    if provider not in PROVIDERS:
        raise ValueError("no such provider")
    typed = {name: _typed(name, value) for name, value in credentials.items()}
    known = {"api_url", *(credential.name for credential in PROVIDERS[provider].fields)}
    if strange := sorted(set(typed) - known):
        raise ValueError(f"{PROVIDERS[provider].label} has no {', '.join(strange)}")
    for credential in PROVIDERS[provider].fields:
        if credential.required and not typed.get(credential.name):
            raise ValueError(f"{credential.label} ({credential.name}) is missing")
    api_url = typed.pop("api_url", "")
    kept = {name: value for name, value in typed.items() if value}
    return ProviderSettings(provider=provider, credentials=kept, api_url=api_url)


def _typed(name: str, value: object) -> str:
    """Return one credential without the blanks around it; raises ValueError."""
    text = "" if value is None else str(value).strip()
    if len(text) > CREDENTIAL_CHARACTERS or not text.isprintable() or not text.isascii():
        raise ValueError(f"{name} has characters no credential has")
    return text


def _check_address(url: str) -> None:
    """Refuse an address that would send a key in clear over a network."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or parts.username or parts.query or parts.fragment:
        raise ValueError("api_url is no address of an API")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError("api_url must begin with https://")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
