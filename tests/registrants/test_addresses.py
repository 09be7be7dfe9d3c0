"""One spelling per address."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from registrants import addresses

LOCAL = st.from_regex(r"[a-zA-Z0-9]{1,12}(\.[a-zA-Z0-9]{1,12})?", fullmatch=True)
DOMAIN = st.from_regex(r"[a-z]{1,10}\.(org|net|example\.com)", fullmatch=True)


@given(LOCAL, DOMAIN)
def test_case_and_blanks_do_not_make_another_person(local: str, domain: str) -> None:
    """L-26."""
    address = f"{local}@{domain}"
    spellings = (address.upper(), address.lower(), f"  {address}\n")
    assert {addresses.hashed(spelling) for spelling in spellings} == {addresses.hashed(address)}


@given(LOCAL, DOMAIN)
def test_cleaning_twice_is_cleaning_once(local: str, domain: str) -> None:
    once = addresses.clean(f" {local}@{domain.upper()} ")
    assert addresses.clean(once) == once
    assert once == f"{local}@{domain}"


@given(st.text(max_size=60))
def test_any_text_is_an_address_to_write_to_or_refused(text: str) -> None:
    try:
        address = addresses.clean(text)
    except ValidationError:
        return
    assert address.isascii()
    assert address.count("@") == 1
    assert not any(character.isspace() or not character.isprintable() for character in address)


@given(LOCAL, DOMAIN, st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True))
def test_plus_tags_are_one_mailbox_for_limits_but_not_one_person(
    local: str, domain: str, tag: str
) -> None:
    """S-3, L-26."""
    plain, tagged = f"{local}@{domain}", f"{local}+{tag}@{domain}"
    assert addresses.mailbox_hashed(plain) == addresses.mailbox_hashed(tagged)
    assert addresses.hashed(plain) != addresses.hashed(tagged)


def test_dots_are_nothing_to_gmail_alone() -> None:
    hashed = addresses.mailbox_hashed
    assert hashed("a.d.a@gmail.com") == hashed("ada@gmail.com")
    assert hashed("a.da@example.org") != hashed("ada@example.org")


def test_an_international_domain_is_kept_as_it_is_sent_to() -> None:
    """M-10."""
    assert addresses.clean("ada@bücher.example.org") == "ada@xn--bcher-kva.example.org"


@pytest.mark.parametrize(
    "bad", ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@example", "ä@example.org"]
)
def test_what_is_no_address_is_refused(bad: str) -> None:
    """M-11."""
    with pytest.raises(ValidationError, match=r"e-mail address"):
        addresses.clean(bad)


@given(LOCAL, DOMAIN)
def test_a_mask_shows_one_letter(local: str, domain: str) -> None:
    assert addresses.masked(f"{local}@{domain}") == f"{local[0]}***@{domain}"


def test_the_hash_of_an_address_needs_the_key(settings: Settings) -> None:
    """L-26."""
    before = addresses.hashed("ada@example.org")
    settings.ADDRESS_KEY = b"another key of thirty-two bytes!"
    assert addresses.hashed("ada@example.org") != before
    assert len(before) == 32
