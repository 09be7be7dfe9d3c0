"""Tokens made in bulk are those made one at a time, whatever they name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from registrants import tokens
from registrants.tokens import Scope, bulk

NUMBER = st.integers(0, 2**40 - 1)
DETAIL = st.integers(0, 2**24 - 1)
SCOPE = st.sampled_from(Scope)


@given(SCOPE, NUMBER, DETAIL)
def test_one_by_one_they_are_the_plain_ones(scope: Scope, number: int, detail: int) -> None:
    assert bulk.maker(scope)(number, detail) == tokens.make(scope, number, detail)


@given(NUMBER, st.lists(st.tuples(SCOPE, DETAIL), max_size=40))
def test_many_made_in_one_go_are_those_made_one_by_one(
    number: int, named: list[tuple[Scope, int]]
) -> None:
    made = bulk.many_maker(named)(number)
    assert [token.decode() for token in made] == [
        tokens.make(scope, number, detail) for scope, detail in named
    ]


@given(SCOPE, NUMBER)
def test_base32_is_the_standard_librarys(scope: Scope, number: int) -> None:
    assert bulk.base32_maker(scope)(number) == tokens.make_base32(scope, number)


def test_many_refuse_a_number_too_large() -> None:
    with pytest.raises(ValueError, match="below"):
        bulk.many_maker([(Scope.CLICK, 2**24)])
    with pytest.raises(ValueError, match="below"):
        bulk.many_maker([(Scope.CLICK, 1)])(2**40)
    with pytest.raises(ValueError, match="below"):
        bulk.maker(Scope.CLICK)(2**40, 0)


def test_a_maker_keeps_the_newest_key_of_its_moment(settings: Settings) -> None:
    settings.LINK_KEYS = {1: b"o" * 32}
    make = bulk.maker(Scope.CLICK)
    settings.LINK_KEYS = {1: b"o" * 32, 2: b"n" * 32}
    assert make(7, 1) != tokens.make(Scope.CLICK, 7, 1)
    assert tokens.read(Scope.CLICK, make(7, 1)) == (7, 1)
