"""Liquid is cut as python-liquid cuts it, only in linear time."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from liquid.exceptions import LiquidSyntaxError
from liquid.lex import get_lexer
from liquid.token import TOKEN_EXPRESSION

from newsletter.content.liquid_lexer import LONGEST_TAG, Lines, pieces, tokenize
from newsletter.content.liquid_tags import Tag, Tags, with_filter

PIECES = (
    "{{", "}}", "{%", "%}", "-", "{", "}", " ", "\n", "x", "raw", "endraw", "{% raw %}", "#", "if",
    "{%- endraw -%}", "{% comment %}", "{% endcomment %}", "a b", "{{ x }}",
    "{%- if x -%}", "%", "\u00a0",
)  # fmt: skip


def read(source: str, *, ours: bool) -> list[tuple[object, ...]]:
    """Return the tokens, an error with its place at their end."""
    listed: list[tuple[object, ...]] = []
    try:
        for token in tokenize(source) if ours else get_lexer()(source):
            is_empty = token.kind == TOKEN_EXPRESSION and not token.value
            listed.append((token.kind, token.value, None if is_empty else token.start_index))
    except LiquidSyntaxError as error:
        listed.append((str(error.message), error.token and error.token.start_index))
    return listed


@given(st.lists(st.sampled_from(PIECES), max_size=16).map("".join))
@example("{{-}}{{--}}{%-if-%}")
@example("a{{ x -}} b\n")
@example("{% comment %}{% comment %}{{ {% endcomment %}x{% endcomment %}y")
@example("{{{% raw %}{% endraw %}")
def test_the_tokens_are_those_of_the_library(source: str) -> None:
    assert read(source, ours=True) == read(source, ours=False)
    assert "".join(source[piece.start : piece.end] for piece in pieces(source)) == source


@pytest.mark.parametrize("inner", ["x" * (LONGEST_TAG + 1), "a[" * 101, "a and " * 101 + "b"])
def test_a_tag_that_is_too_much_is_refused_where_it_stands(inner: str) -> None:
    """Issue 9, A1: what the library reads by recursion, or in the square of its length."""
    with pytest.raises(LiquidSyntaxError) as caught:
        list(tokenize("one\n{{ " + inner + " }}"))
    assert caught.value.token is not None
    assert caught.value.token.start_index == 4


def test_lines_and_columns_count_from_one() -> None:
    lines = Lines("ab\nc\n")
    assert [lines.of(index) for index in (-1, 0, 2, 3, 5, 99)] == [
        (1, 1), (1, 1), (1, 3), (2, 1), (3, 1), (3, 1),
    ]  # fmt: skip


def test_comments_in_comments_are_gone_and_raw_stays() -> None:
    """A mail says nothing an author put into a comment."""
    tags = Tags()
    source = (
        "a{% comment %}b{% comment %}c{% endcomment %}d{% endcomment %}e{% # f %}"
        "{%- raw -%}{{ x }}{%- endraw -%}"
    )
    swapped = tags.swap(source, field="body")
    assert tags.into_html(swapped) == "ae&#123;&#123; x }}"


@pytest.mark.parametrize(
    ("text", "expression", "filtered"),
    [
        ("{{ x }}", "x", "{{ x | f }}"), ("{{- x -}}", "x", "{{- x | f -}}"),
        ("{{x}}", "x", "{{ x | f }}"), ("{% if x %}", "", "{% if x %}"),
    ],
)  # fmt: skip
def test_a_filter_goes_to_the_end_of_an_output(text: str, expression: str, filtered: str) -> None:
    assert Tag(text).expression == expression
    assert with_filter(Tag(text), "f").text == filtered
