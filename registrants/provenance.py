"""Who stands at the door: the address and the browser of a public request."""

import ipaddress
from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True)
class Provenance:
    """By whose hand an act came: the door, and what is kept as proof."""

    means: str
    ip: str | None = None
    browser: str = ""
    mailing: int | None = None
    staff: int | None = None


def address_of(request: HttpRequest) -> str:
    """Return the visitor's IP address, empty where it is none (behind proxies: their word)."""
    remote_address = str(request.META.get("REMOTE_ADDR", ""))
    try:
        ip = ipaddress.ip_address(remote_address.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def neighbourhood(request: HttpRequest) -> str:
    """Return the visitor's network as limits count it: IPv4 /24, IPv6 /64 (S-3)."""
    address = address_of(request)
    if not address:
        return "unknown"
    bits = 64 if ":" in address else 24
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


def provenance_of(request: HttpRequest, means: str, *, mailing: int | None = None) -> Provenance:
    """Return by whose hand a request acts, with what is kept as proof (L-20)."""
    return Provenance(
        means=means,
        ip=address_of(request) or None,
        browser=request.headers.get("User-Agent", "").replace("\0", ""),
        mailing=mailing,
    )
