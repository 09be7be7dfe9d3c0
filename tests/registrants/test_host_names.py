"""One rule for hosts and domains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registrants.host_names import ascii_domain, ascii_host


@pytest.mark.parametrize(
    ("typed", "in_dns"),
    [
        ("news.example.org", "news.example.org"),
        ("News.Example.ORG", "news.example.org"),
        ("müller.example", "xn--mller-kva.example"),
        ("MÜLLER.example", "xn--mller-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("localhost", "localhost"),
    ],
)
def test_a_host_is_spelled_one_way(typed: str, in_dns: str) -> None:
    """RFC 5890 §2.3.2.1."""
    assert ascii_host(typed) == in_dns


@pytest.mark.parametrize(
    "typed",
    ["", ".", "a..b", "-a.example", "a-.example", "exa mple.org", "example.org\n", "a_b.example",
     f"{'a' * 64}.example", f"{'ü' * 60}.example", f"{'a.' * 127}org", "example.org/x", "[::1]",
     "a@b.example", "\u202eexample.org", "smtp://a.example", "example.-", "exämple.org\n"],
)  # fmt: skip
def test_what_dns_could_not_hold_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="host name"):
        ascii_host(typed)


@pytest.mark.parametrize("typed", ["localhost", "192.0.2.1", "example.42"])
def test_a_domain_has_two_labels_and_is_no_number(typed: str) -> None:
    with pytest.raises(ValueError, match="no domain"):
        ascii_domain(typed)


@given(st.text(max_size=80))
def test_whatever_is_taken_is_taken_as_it_came_out(text: str) -> None:
    try:
        host = ascii_host(text)
    except ValueError:
        return
    assert ascii_host(host) == host
    assert host.isascii() and all(len(label) < 64 for label in host.split("."))
