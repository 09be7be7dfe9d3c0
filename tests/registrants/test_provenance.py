"""Who stands at the door: the visitor's own address, never one they made up."""

import pytest
from django.test import RequestFactory

from registrants import provenance


@pytest.mark.parametrize(
    ("remote_addr", "read", "near"),
    [
        ("192.0.2.9", "192.0.2.9", "192.0.2.0/24"),
        ("::ffff:192.0.2.9", "192.0.2.9", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("", "", "unknown"),
        ("not an address", "", "unknown"),
    ],
)
def test_an_address_is_read_and_its_network_is_what_limits_count(
    remote_addr: str, read: str, near: str
) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=remote_addr)
    assert provenance.address_of(request) == read
    assert provenance.neighbourhood(request) == near


def test_a_hand_carries_what_is_kept_as_proof() -> None:
    """L-20."""
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.9", HTTP_USER_AGENT="A\0 browser")
    kept = provenance.provenance_of(request, "form", mailing=7)
    assert (kept.means, kept.ip, kept.browser, kept.mailing) == (
        "form",
        "192.0.2.9",
        "A browser",
        7,
    )
    assert provenance.provenance_of(RequestFactory().get("/", REMOTE_ADDR=""), "form").ip is None
