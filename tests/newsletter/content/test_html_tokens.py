"""HTML is cut where a browser cuts it, all of it, and in linear time."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.html_reader import HtmlReader
from newsletter.content.html_tokens import conditional, tokens
from newsletter.content.link_rewriting import with_pixel
from newsletter.content.liquid_tags import Tags, between

PIECES = (
    "<",
    ">",
    "<!--",
    "-->",
    "--!>",
    "<!",
    "<![CDATA[",
    "]]>",
    "<style>",
    "</style>",
    "<?",
    "<title>",
    "</title",
    '<a href="',
    '"',
    "'",
    "=",
    "/",
    " ",
    "x",
    "<!-->",
    "</",
    "<mj-style/>",
)


def cut(html: str, *, xml: bool = False) -> list[tuple[str, str]]:
    """Return the kind and the text of each token."""
    return [(token.kind.value, html[token.start : token.end]) for token in tokens(html, xml=xml)]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("a<!-- <b> -->c", [("text", "a"), ("comment", "<!-- <b> -->"), ("text", "c")]),
        ("<!--a--!>b", [("comment", "<!--a--!>"), ("text", "b")]),
        ("<!-->b", [("comment", "<!-->"), ("text", "b")]),
        ("<!--->b", [("comment", "<!--->"), ("text", "b")]),
        ("<!--a", [("comment", "<!--a")]),
        ("<![CDATA[<b>]]>", [("cdata", "<![CDATA[<b>"), ("text", "]]>")]),
        ("<!DOCTYPE html>x", [("declaration", "<!DOCTYPE html>"), ("text", "x")]),
        ("<![endif]>x", [("declaration", "<![endif]>"), ("text", "x")]),
        ("a < b <3 </", [("text", "a < b <3 </")]),
        ("</ b>x", [("declaration", "</ b>"), ("text", "x")]),
        (
            '<a title="1 > 2">x</a >',
            [("start", '<a title="1 > 2">'), ("text", "x"), ("end", "</a >")],
        ),
        ("<a t='\">' u=v/w>x", [("start", "<a t='\">' u=v/w>"), ("text", "x")]),
        ('<a href="b>c', [("unclosed", '<a href="b>c')]),
        (
            "<style><b></STYLE >x",
            [("start", "<style>"), ("raw", "<b>"), ("end", "</STYLE >"), ("text", "x")],
        ),
        (
            "<title>a</titles></title/>",
            [("start", "<title>"), ("raw", "a</titles>"), ("end", "</title/>")],
        ),
        ("<style>a", [("start", "<style>"), ("raw", "a")]),
        ("<ſtyle><b>", [("text", "<ſtyle>"), ("start", "<b>")]),
        ("<mj-title/><b>", [("start", "<mj-title/>"), ("start", "<b>")]),
    ],
)
def test_html_is_cut_where_a_browser_cuts_it(html: str, expected: list[tuple[str, str]]) -> None:
    """HTML Standard §13.2.5."""
    assert cut(html) == expected


def test_mjml_is_cut_where_xml_cuts_it() -> None:
    """XML 1.0 §2.5, §2.7."""
    assert cut("<!--> x --><![CDATA[<b>]]><title/><b>", xml=True) == [
        ("comment", "<!--> x -->"),
        ("cdata", "<![CDATA[<b>]]>"),
        ("start", "<title/>"),
        ("start", "<b>"),
    ]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.booleans())
def test_the_tokens_together_are_the_html(html: str, xml: bool) -> None:
    assert "".join(text for _, text in cut(html, xml=xml)) == html
    assert between(html, str) == html


@pytest.mark.parametrize(
    ("comment", "content"),
    [
        ("<!--[if mso]><b><![endif]-->", "<b>"),
        ("<!--[if (gte mso 9)|(IE)]>x<![endif]-->", "x"),
        ("<!--[if mso]>x-->", None),
        ("<!-- [if mso]>x<![endif]-->", None),
        ("<!--[if !mso]><!-->", None),
    ],
)
def test_outlooks_comments_are_known_by_their_condition(comment: str, content: str | None) -> None:
    inner = conditional(comment)
    assert (inner and comment[slice(*inner)]) == content


def test_a_reader_is_told_of_text_tags_and_lines() -> None:
    calls: list[object] = []

    class Calls(HtmlReader):
        def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
            calls.append((tag, attrs, self.line))

        def handle_data(self, data: str) -> None:
            calls.append(data)

        def handle_comment(self, data: str) -> None:
            calls.append(["comment", data])

    Calls().feed("a &lt;\n<b x='&amp;' y>c</b>\n<!--d--><title>&lt;</title><style>&lt;</style>")
    assert calls == [
        "a <\n",
        ("b", [("x", "&"), ("y", "")], 2),
        "c",
        "\n",
        ["comment", "d"],
        ("title", [], 3),
        "<",
        ("style", [], 3),
        "&lt;",
    ]


@pytest.mark.parametrize(
    "before",
    [
        "<!--[if mso]><body bgcolor=red><![endif]-->",
        "<![CDATA[<body x]]",
        '<a title="<body>">',
        "<style>/*<body>*/</style>",
        "<title><body></title>",
    ],
)
def test_the_pixel_stands_in_the_body_and_in_no_comment(before: str) -> None:
    """B4: a mail program would read it in the comment as nothing, or in the title as text."""
    html = with_pixel(f"<html>{before}>\n<body>x", Tags())
    assert re.fullmatch(re.escape(f"<html>{before}>\n<body>") + r"lqd\d+xx", html)
