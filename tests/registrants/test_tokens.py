"""Signed links: read by who made them, for one act, and by nobody else."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from registrants import tokens

NUMBER = st.integers(0, 2**40 - 1)
DETAIL = st.integers(0, 2**24 - 1)
SCOPE = st.sampled_from("upilynd")
LETTERS = string.ascii_letters + string.digits + "-_"


@given(SCOPE, NUMBER, DETAIL)
def test_what_is_made_is_read(scope: str, number: int, detail: int) -> None:
    token = tokens.make(scope, number, detail)
    assert len(token) == 34
    assert set(token) <= set(LETTERS)
    assert tokens.read(scope, token) == (number, detail)


@given(SCOPE, SCOPE, NUMBER, DETAIL)
def test_a_token_opens_one_act_only(scope: str, other: str, number: int, detail: int) -> None:
    if scope != other:
        assert tokens.read(other, tokens.make(scope, number, detail)) is None


@given(NUMBER, DETAIL, st.integers(0, 33), st.sampled_from(LETTERS))
def test_no_character_can_be_changed(number: int, detail: int, place: int, letter: str) -> None:
    """AT-U3: the unused bits of the last character are no exception."""
    token = tokens.make("u", number, detail)
    forged = token[:place] + letter + token[place + 1 :]
    assert tokens.read("u", forged) == ((number, detail) if forged == token else None)


@given(st.text(max_size=80))
def test_any_other_text_names_nothing(text: str) -> None:
    assert tokens.read("u", text) is None
    assert tokens.read_base32("b", text) is None


@given(NUMBER, DETAIL)
def test_base32_reads_back_whatever_the_case(number: int, detail: int) -> None:
    token = tokens.make_base32("b", number)
    assert token == token.lower()
    assert len(token) == 40
    assert tokens.read_base32("b", token.upper()) == (number, 0)


@given(NUMBER, st.lists(st.tuples(SCOPE, DETAIL), max_size=40))
def test_many_made_in_one_go_are_those_made_one_by_one(
    number: int, named: list[tuple[str, int]]
) -> None:
    made = tokens.many_maker(named)(number)
    assert [token.decode() for token in made] == [
        tokens.make(scope, number, detail) for scope, detail in named
    ]


@given(NUMBER)
def test_base32_is_the_standard_librarys(number: int) -> None:
    raw = tokens.byte_maker("b")(number, 0)
    assert tokens.make_base32("b", number) == base64.b32encode(raw).decode().lower()


@given(NUMBER, DETAIL)
def test_no_neighbour_shares_a_mac(number: int, detail: int) -> None:
    """One hash serves four numbers in a row: each has a quarter of its own."""
    first = detail & ~3
    assert len({tokens.byte_maker("l")(number, first + at)[9:] for at in range(4)}) == 4


def test_many_refuse_a_number_too_large() -> None:
    with pytest.raises(ValueError, match="below"):
        tokens.many_maker([("l", 2**24)])
    with pytest.raises(ValueError, match="below"):
        tokens.many_maker([("l", 1)])(2**40)


def test_neighbours_look_unrelated() -> None:
    made = {tokens.make("u", number)[2:12] for number in range(500)}
    assert len(made) == 500


@pytest.mark.parametrize(("number", "detail"), [(2**40, 0), (0, 2**24), (-1, 0)])
def test_a_number_too_large_is_refused(number: int, detail: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        tokens.make("u", number, detail)


def test_old_keys_go_on_reading_and_new_ones_make(settings: Settings) -> None:
    """U-28: a link lives as long as what it names."""
    old, new = b"o" * 32, b"n" * 32
    settings.LINK_KEYS = {1: old}
    before = tokens.make("u", 7)
    settings.LINK_KEYS = {1: old, 2: new}
    after = tokens.make("u", 7)
    assert tokens.read("u", before) == tokens.read("u", after) == (7, 0)
    settings.LINK_KEYS = {2: new}
    assert tokens.read("u", before) is None
    assert tokens.read("u", after) == (7, 0)
    settings.LINK_KEYS = {1: new}
    assert tokens.read("u", after) is None
