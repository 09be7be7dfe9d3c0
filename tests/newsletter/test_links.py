"""Every address of a mail is short, opaque and read back by its own scope alone."""

import re

import pytest

from newsletter import links
from registrants import tokens
from registrants.tokens import Scope
from tests import mail_links

BASE = "https://" + "m" * 28


@pytest.mark.parametrize(
    ("scope", "url", "names"),
    [
        (Scope.UNSUBSCRIBE, mail_links.one_click(BASE, 2**39, 2**23), (2**39, 2**23)),
        (Scope.PREFERENCES, mail_links.preferences(BASE, 3, 7), (3, 7)),
        (Scope.PIXEL, mail_links.pixel(BASE, 9), (9, 0)),
        (Scope.CLICK, mail_links.click(BASE, 9, 4), (9, 4)),
        (Scope.CONFIRM, links.confirm(BASE, 5), (5, 0)),
        (Scope.NOT_ME, links.never(BASE, 5), (5, 0)),
        (Scope.CHOICES, links.choices(BASE, 5), (5, 0)),
    ],
)
def test_a_link_is_at_most_75_characters_and_of_one_scope(
    scope: Scope, url: str, names: tuple[int, int]
) -> None:
    """U-3, U-4, O-8, S-1."""
    link = re.fullmatch(rf"{BASE}/{scope}/([\w-]{{34}})", url)
    assert link
    assert len(url) <= tokens.URL_LONGEST
    assert tokens.read(scope, link[1]) == names
    assert all(tokens.read(other, link[1]) is None for other in Scope if other != scope)


def test_a_bounce_address_survives_lower_and_upper_case() -> None:
    """M-9, B-1: local part at most 64."""
    bounce_address = mail_links.verp(77, "b.client.example")
    local, _, domain = bounce_address.partition("@")
    assert domain == "b.client.example"
    assert len(local) <= 64
    assert tokens.read_base32(Scope.BOUNCE, local.upper().removeprefix("B+")) == (77, 0)


def test_a_message_id_is_unique_to_its_delivery() -> None:
    """M-3."""
    assert mail_links.message_id(1, "c.example") != mail_links.message_id(2, "c.example")
    assert re.fullmatch(r"<[\w-]{34}@c\.example>", mail_links.message_id(1, "c.example"))
