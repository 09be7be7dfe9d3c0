"""Where a host that staff typed may lead: to public addresses, and to what the owner allows."""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final, Self

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
SocketAddress = tuple[socket.AddressFamily, tuple[object, ...]]

REFUSED: Final = (
    "it leads to an address inside a network, not on the internet; the owner of this installation"
    " can allow it (HEED_ALLOWED_PRIVATE_HOSTS)"
)
_NOT_PUBLIC: Final[tuple[IpNetwork, ...]] = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # the wire server of one cloud: a public number, a private door
            "192.0.0.0/24",
            "192.88.99.0/24",
            "fec0::/10",
            "64:ff9b:1::/48",
            "2001::/23",
            "3fff::/20",
            "5f00::/16",
        ),
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")


def is_public(address: IpAddress) -> bool:
    """Tell whether an address is one of the internet's, whatever it is wrapped in.

    IANA's special-purpose registries (RFC 6890) say which are not; what an IPv6 address carries of
    an IPv4 one (mapped, compatible, 6to4, NAT64) must be public itself.
    """
    inner = _inside(address)
    if inner is not None:
        return is_public(inner)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NOT_PUBLIC)
    )


def _inside(address: IpAddress) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


@dataclass(frozen=True)
class Guard:
    """What is allowed besides public addresses: hosts by name, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IpNetwork, ...] = ()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read "10.0.0.0/8, mail.internal, ::1"; raises ValueError for a network that is none."""
        hosts: set[str] = set()
        networks: list[IpNetwork] = []
        for part in filter(None, (part.strip().lower() for part in text.split(","))):
            try:
                networks.append(ipaddress.ip_network(part))
            except ValueError:
                if "/" in part or " " in part:
                    raise ValueError("hosts and networks are separated by commas") from None
                hosts.add(part)
        return cls(frozenset(hosts), tuple(networks))

    def lets(self, host: str, address: str) -> bool:
        """Tell whether a host may be connected to at the address it was found to have."""
        if host.lower() in self.hosts:
            return True
        try:
            bare = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        inner = _inside(bare)
        return is_public(bare) or any(
            one in network
            for one in (bare, inner)
            for network in self.networks
            if one is not None and one.version == network.version
        )

    def refuses_literal(self, host: str) -> bool:
        """Tell whether a host is itself an address that may not be connected to."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return not self.lets(host, host)


class OutOfReach(ValueError):
    """A host whose addresses are all ones it may not be connected to at."""


def socket_addresses(host: str, port: int, guard: Guard | None) -> list[SocketAddress]:
    """Return where a host can be connected to, looked up once; without a guard everywhere.

    Raises OSError where nobody knows it, OutOfReach where it may not be connected to.
    """
    looked_up = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [(family, where) for family, _, _, _, where in looked_up]
    allowed: list[SocketAddress] = [
        (family, where)
        for family, where in addresses
        if guard is None or guard.lets(host, str(where[0]))
    ]
    if not allowed:
        raise OutOfReach(REFUSED)
    return allowed
