"""Signed links: read by who made them, for one act, and by nobody else."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from registrants import tokens
from registrants.tokens import Scope

NUMBER = st.integers(0, 2**40 - 1)
DETAIL = st.integers(0, 2**24 - 1)
SCOPE = st.sampled_from(Scope)
LETTERS = string.ascii_letters + string.digits + "-_"


@given(SCOPE, NUMBER, DETAIL)
def test_what_is_made_is_read(scope: Scope, number: int, detail: int) -> None:
    token = tokens.make(scope, number, detail)
    assert len(token) == 34
    assert set(token) <= set(LETTERS)
    assert tokens.read(scope, token) == (number, detail)


@given(SCOPE, SCOPE, NUMBER, DETAIL)
def test_a_token_opens_one_act_only(scope: Scope, other: Scope, number: int, detail: int) -> None:
    if scope != other:
        assert tokens.read(other, tokens.make(scope, number, detail)) is None


@given(NUMBER, DETAIL, st.integers(0, 33), st.sampled_from(LETTERS))
def test_no_character_can_be_changed(number: int, detail: int, place: int, letter: str) -> None:
    """AT-U3: the unused bits of the last character are no exception."""
    token = tokens.make(Scope.UNSUBSCRIBE, number, detail)
    forged = token[:place] + letter + token[place + 1 :]
    assert tokens.read(Scope.UNSUBSCRIBE, forged) == ((number, detail) if forged == token else None)


@given(st.text(max_size=80))
def test_any_other_text_names_nothing(text: str) -> None:
    assert tokens.read(Scope.UNSUBSCRIBE, text) is None
    assert tokens.read_base32(Scope.BOUNCE, text) is None


@given(NUMBER, DETAIL)
def test_base32_reads_back_whatever_the_case(number: int, detail: int) -> None:
    token = tokens.make_base32(Scope.BOUNCE, number)
    assert token == token.lower()
    assert len(token) == 40
    assert tokens.read_base32(Scope.BOUNCE, token.upper()) == (number, 0)


@given(NUMBER, DETAIL)
def test_no_neighbour_shares_a_mac(number: int, detail: int) -> None:
    """One hash serves four numbers in a row: each has a quarter of its own."""
    first = detail & ~3
    assert len({tokens.make_bytes(Scope.CLICK, number, first + at)[9:] for at in range(4)}) == 4


def test_a_token_is_what_it_always_was(settings: Settings) -> None:
    """U-28: links that are out already go on being read."""
    settings.LINK_KEYS = {1: b"k" * 32, 3: b"n" * 32}
    assert tokens.make(Scope.UNSUBSCRIBE, 123456789, 77) == "AzjowJ0R8viJEvgk8-8iKJxGd7lQUm1wKA"
    assert tokens.make(Scope.CLICK, 2**40 - 1, 2**24 - 1) == "A0_r_DcWvLPYyUgIyCiFznXxK_vDmSo7Lg"
    assert tokens.make_base32(Scope.BOUNCE, 4711) == "aoobwsldtkdvfnv3xven5bbg2htzipxn45rssusk"


def test_a_scope_stands_in_the_path_as_its_letter() -> None:
    assert [scope.path for scope in Scope] == [f"/{letter}/" for letter in "upilyndbmt"]
    assert re.fullmatch(Scope.PIXEL.pattern, "i/" + "x" * 34)


def test_neighbours_look_unrelated() -> None:
    made = {tokens.make(Scope.UNSUBSCRIBE, number)[2:12] for number in range(500)}
    assert len(made) == 500


@pytest.mark.parametrize(("number", "detail"), [(2**40, 0), (0, 2**24), (-1, 0)])
def test_a_number_too_large_is_refused(number: int, detail: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        tokens.make(Scope.UNSUBSCRIBE, number, detail)


def test_old_keys_go_on_reading_and_new_ones_make(settings: Settings) -> None:
    """U-28: a link lives as long as what it names."""
    old, new = b"o" * 32, b"n" * 32
    settings.LINK_KEYS = {1: old}
    before = tokens.make(Scope.UNSUBSCRIBE, 7)
    settings.LINK_KEYS = {1: old, 2: new}
    after = tokens.make(Scope.UNSUBSCRIBE, 7)
    assert tokens.read(Scope.UNSUBSCRIBE, before) == tokens.read(Scope.UNSUBSCRIBE, after) == (7, 0)
    settings.LINK_KEYS = {2: new}
    assert tokens.read(Scope.UNSUBSCRIBE, before) is None
    assert tokens.read(Scope.UNSUBSCRIBE, after) == (7, 0)
    settings.LINK_KEYS = {1: new}
    assert tokens.read(Scope.UNSUBSCRIBE, after) is None
