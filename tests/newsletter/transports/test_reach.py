"""Nobody reaches into the network behind the installation by a host they type.

Mirrors several: newsletter/transports/reach.py, newsletter/transports/pool.py,
newsletter/transports/providers/guarded_http.py, newsletter/senders/routing.py.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from pytest_django import Settings

from newsletter.models import Sender
from newsletter.senders import routing
from newsletter.transports import Unavailable
from newsletter.transports.reach import Guard, OutOfReach, is_public, socket_addresses
from newsletter.transports.settings import SettingsError, SmtpSettings
from tests.newsletter.transports.conftest import Authority
from tests.newsletter.transports.providers import contracts
from tests.newsletter.transports.providers.recording import Reply, recording
from tests.newsletter.transports.wire_cases import message, send, transport
from tests.scripted_smtp import ScriptedSmtp

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.1.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "100.100.100.200", "169.254.169.254", "192.0.0.192", "168.63.129.16", "198.18.0.1",
    "192.0.2.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
    "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "2001::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "2002:7f00:1::", "2002:a00:1::1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1", "3fff::1",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::", "64:ff9b::808:808"]
LookedUp = Callable[[dict[str, list[str]]], list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> LookedUp:
    """Return what gives names addresses, and what was asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def give(known: dict[str, list[str]]) -> list[str]:
        def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            asked.append(str(host))
            addresses = known.get(str(host), [str(host)])
            return [entry for one in addresses for entry in real(one, port, *args, **kwargs)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return give


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_the_internet_is_refused(address: str) -> None:
    """Loopback, link-local, private, CGNAT, multicast, metadata, and what is wrapped in IPv6."""
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(SettingsError) as fault:
        SmtpSettings(host=address, guard=Guard())
    assert fault.value.setting == "host"


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_the_internet_is_not(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    assert SmtpSettings(host=address, guard=Guard()).host


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused_once_it_is_looked_up(
    names: LookedUp, address: str
) -> None:
    names({"mail.heron.example": [address]})
    with pytest.raises(OutOfReach):
        socket_addresses("mail.heron.example", 25, Guard())


def test_of_several_addresses_only_public_ones_are_used(names: LookedUp) -> None:
    names({"mail.heron.example": ["10.0.0.1", "8.8.8.8", "::1"]})
    [(_, where)] = socket_addresses("mail.heron.example", 25, Guard())
    assert where[0] == "8.8.8.8"


def test_the_owner_allows_hosts_and_networks(names: LookedUp) -> None:
    guard = Guard.from_text(" 10.1.0.0/16, mail.internal ,fd00::/8,192.0.2.7")
    names({"mail.internal": ["172.16.0.1"], "a.example": ["10.1.2.3"], "b.example": ["10.2.0.1"]})
    assert socket_addresses("mail.internal", 25, guard)
    assert socket_addresses("a.example", 25, guard)
    assert guard.lets("c.example", "fd00::1") and guard.lets("c.example", "::ffff:10.1.2.3")
    with pytest.raises(OutOfReach):
        socket_addresses("b.example", 25, guard)
    with pytest.raises(ValueError, match="commas"):
        Guard.from_text("10.0.0.0/33")


def test_a_host_is_looked_up_once_and_tls_proves_the_name_that_was_typed(
    names: LookedUp, authority: Authority
) -> None:
    """A second look-up, at another address, would walk round the guard."""
    asked = names({name: ["127.0.0.1"] for name in ("mail.heron.example", "mail.otter.example")})
    guard = Guard.from_text("127.0.0.0/8")
    server_context = authority.context(x509.DNSName("mail.heron.example"))
    with ScriptedSmtp(server_context=server_context, tls_at_once=True) as server:
        made: dict[str, Any] = {"security": "tls", "ca_file": str(authority.file), "guard": guard}
        outcomes = send(server, 3, host="mail.heron.example", connections=1, **made)
        with (
            transport(server, host="mail.otter.example", **made) as wire,
            pytest.raises(Unavailable, match="certificate"),
        ):
            wire.send([message(0)])
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}
    assert asked.count("mail.heron.example") == 1


def test_a_server_out_of_reach_stops_its_sender(names: LookedUp) -> None:
    names({"mail.heron.example": ["127.0.0.1"]})
    with (
        ScriptedSmtp() as server,
        transport(server, host="mail.heron.example", guard=Guard()) as wire,
        pytest.raises(Unavailable, match="HEED_ALLOWED_PRIVATE_HOSTS") as trouble,
    ):
        wire.send([message(0)])
    assert trouble.value.configuration
    assert server.connections == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1.nip.example"])
def test_a_provider_s_address_is_looked_up_once_and_guarded(names: LookedUp, host: str) -> None:
    """Connected to by the address; out of reach, nothing is sent and the sender stops."""
    names({"localhost": ["127.0.0.1"], "127.0.0.1.nip.example": ["127.0.0.1"]})
    with recording(contracts.Provider("postal")) as api:
        address = api.url.replace("127.0.0.1", host).replace("http://1", "https://1")
        made = contracts.settings_at("postal", address, guard=Guard())
        with pytest.raises(Unavailable, match="HEED_ALLOWED_PRIVATE_HOSTS") as trouble:
            list(routing.opened(made).send(contracts.letters(1)))
        assert trouble.value.configuration
        assert api.connections == 0


def test_a_provider_s_address_that_is_allowed_is_connected_to_by_its_address(
    names: LookedUp,
) -> None:
    asked = names({"localhost": ["127.0.0.1"]})
    with recording(contracts.Provider("postal")) as api:
        address = api.url.replace("127.0.0.1", "localhost")
        made = contracts.settings_at("postal", address, guard=Guard.from_text("127.0.0.1"))
        [outcome] = routing.opened(made).send(contracts.letters(1))
        assert outcome.state == "sent", outcome
        assert api.calls[0].headers["Host"].startswith("localhost")
    assert asked.count("localhost") == 1


def test_no_page_of_a_strange_server_is_shown() -> None:
    """An answer that is no sentence of an API is told by its status alone."""
    page = "<html><body>internal: 10.0.0.1 root</body></html>"
    with (
        recording(lambda call: Reply(500, page)) as api,
        contracts.wire("postal", api) as wire,
    ):
        [outcome] = wire.send(contracts.letters(1))
    assert "internal" not in outcome.words


def test_what_staff_typed_is_guarded_and_the_owner_s_word_is_not(settings: Settings) -> None:
    """In production; on a newcomer's machine loopback is allowed."""
    typed = Sender(transport="smtp", host="127.0.0.1", port=25, security="none", connections=1)
    api = '{"api_key": "x", "api_url": "https://169.254.169.254/"}'
    by_api = Sender(transport="provider", provider="postal", credentials=api, connections=1)
    own = Sender(transport="installation")
    assert routing.settings_fault(typed) is None
    settings.ALLOWED_PRIVATE_HOSTS = ""
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    assert routing.settings_fault(own) is None
    for sender, field in ((typed, "host"), (by_api, "transport")):
        fault = routing.settings_fault(sender)
        assert fault is not None and fault[0] == field
        assert "HEED_ALLOWED_PRIVATE_HOSTS" in fault[1]
