"""Addresses are read as a browser reads them, compared with the kept answers of one."""

import json

import pytest

from newsletter.content import web_addresses
from tests.newsletter.content import odd_addresses

ANSWERS: dict[str, str | None] = json.loads(odd_addresses.KEPT.read_text())["answers"]
NO_HOST = {
    "https://ex ample.org/", "https://ex\u00a0ample.org/", "https://a%20b.example/a",
    "https://example.org a", "https://example.org\u00a0a", "https:// /x",
    "http://a b/", "http://a%20b/", "http://example.org /",
}  # fmt: skip
"""Chromium takes a blank in a host, which the standard and the name system refuse."""
SPELT = {
    "https://us'er@example.org/", "https://ex*ample.org/", "https://a*b.example/a",
    "https://example.org*a",
}  # fmt: skip
"""Chromium writes these two signs as %27 and %2A, the standard as they are."""


def test_five_hundred_odd_addresses_are_what_chromium_would_ask_for() -> None:
    """Issue 9, B2; `make faults` asks the browser anew."""
    assert len(ANSWERS) >= 500
    assert list(ANSWERS) == odd_addresses.addresses()
    other = {
        address: (kept, web_addresses.asked_for(address))
        for address, kept in ANSWERS.items()
        if web_addresses.asked_for(address) != kept
    }
    assert set(other) == NO_HOST | SPELT
    assert all(other[address][1] is None for address in NO_HOST)


def test_what_a_browser_would_ask_for_is_plain_and_stays_as_it_is() -> None:
    """It goes into a header field: printable ASCII, no blank, and read again the same."""
    for address in [*ANSWERS, "https://x/\ud800"]:
        asked = web_addresses.asked_for(address)
        if asked is not None:
            assert asked.isascii() and asked.isprintable() and " " not in asked
            assert web_addresses.asked_for(asked) == asked


@pytest.mark.parametrize(
    ("pieces", "harmless"),
    [
        (["https://x/"], True),
        (["/media/x.jpg"], True),
        (["javascript:alert(1)"], False),
        ([" \x01JavaScript:alert(1)"], False),
        (["java\nscript:alert(1)"], False),
        (["data:text/html,x"], False),
        (["", "javascript:alert(1)", ""], False),
        (["java", "script:alert(1)"], False),
        (["", ":alert(1)"], False),
        (["", "https://a.example/", "https://b.example/", ""], True),
        (["https://x.example/?q=", "script:"], True),
        (["mailto:", "?subject=a:b"], True),
        (["", "/a:b"], True),
    ],
)
def test_no_address_acts_however_its_tags_come_out(pieces: list[str], harmless: bool) -> None:
    """S-2, S-6: what stands between Liquid tags."""
    assert web_addresses.is_harmless(pieces) is harmless
