"""What is too large, too deep or full of links is refused before anything reads it (A1)."""

import time

import pytest

from newsletter.content import bounds
from newsletter.content.compiling import SourceErrors, compile_mail
from newsletter.content.errors import SourceError
from tests.newsletter import mails

DEEP = 300
MANY = 2_001


def faults(**changes: str) -> list[SourceError]:
    with pytest.raises(SourceErrors) as refused:
        compile_mail(mails.source(**changes))
    return refused.value.faults


@pytest.mark.parametrize("field", ["body", "layout", "subject", "preheader"])
def test_each_field_is_held_to_its_bytes(field: str) -> None:
    """Bytes count, not characters."""
    (fault,) = faults(**{field: "ü" * 100_001})
    assert (fault.field, fault.message) == (field, "has 201 kB; at most 200 kB are allowed")
    assert bounds.too_large({field: "ü" * 100_000}) == []


@pytest.mark.parametrize(
    ("changes", "place", "what"),
    [
        ({"body": "a\n" + "<b>" * 12_000, "body_format": "html"}, ("body", 2, 769), "elements"),
        ({"body": "<div>" * DEEP, "body_format": "html"}, ("body", 1, 1281), "elements"),
        ({"body": "<DIV/>" * DEEP, "body_format": "html"}, ("body", 1, 1537), "elements"),
        ({"body": "<!-- x --><i \n>" * DEEP, "body_format": "html"}, ("body", 257, 12), "elements"),
        ({"body": "<table><tr><td>" * 90, "body_format": "html"}, ("body", 1, 1283), "elements"),
        ({"body": "<mj-group>" * DEEP, "body_format": "mjml"}, ("body", 1, 2561), "elements"),
        ({"layout": "<div>" * DEEP, "layout_format": "html"}, ("layout", 1, 1281), "elements"),
        ({"layout": "<p>" * DEEP, "layout_format": "mjml"}, ("layout", 1, 769), "elements"),
        ({"body": "a\n\n" + ">" * DEEP}, ("body", 3, 257), "quotes"),
        ({"body": "> " * DEEP}, ("body", 1, 513), "quotes"),
        ({"body": "- " * DEEP}, ("body", 1, 513), "quotes and lists"),
        ({"body": "1. > " * DEEP}, ("body", 1, 641), "quotes and lists"),
        ({"body": "[" * DEEP}, ("body", 1, 257), "brackets"),
        ({"body": "x\n\n" + "![" * DEEP}, ("body", 3, 514), "brackets"),
    ],
)
def test_what_is_nested_too_deeply_is_named_with_its_place(
    changes: dict[str, str], place: tuple[str, int, int], what: str
) -> None:
    (fault,) = faults(**changes)
    assert (fault.field, fault.line, fault.column) == place
    assert fault.message.startswith(f"is nested more than 256 {what}")


@pytest.mark.parametrize(
    "body",
    [
        "<p>one<p>two" * DEEP,
        "<li>one" * DEEP,
        "<table>" + "<tr><td>a<td>b" * DEEP + "</table>",
        "<br><img src=x alt=x>" * DEEP,
        "<b>a</b>" * DEEP,
        "<!-- <div> -->" * DEEP,
    ],
)
def test_what_only_looks_deep_passes(body: str) -> None:
    assert bounds.faults(
        {"body": body, "layout": ""}, body_format="html", layout_format="html"
    ) == []  # fmt: skip


def test_brackets_and_quotes_in_many_paragraphs_pass() -> None:
    texts = {"body": "a [b\n\n" * DEEP + "> a\n" * DEEP + "- [ ] b\n" * DEEP, "layout": ""}
    assert bounds.faults(texts, body_format="markdown", layout_format="html") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "[a](https://example.org/) " * MANY},
        {"body": "<https://example.org/>\n" * MANY},
        {"body": "[a]\n" * MANY + "\n[a]: https://example.org/"},
        {"body": "<a href=x>a</a>" * MANY, "body_format": "html"},
        {"layout": "<a href = 'x'>a</a>" * MANY + "{{ content }}", "layout_format": "html"},
    ],
)
def test_more_than_two_thousand_links_are_refused(changes: dict[str, str]) -> None:
    (fault,) = faults(**changes)
    assert "2000" in fault.message and "links" in fault.message


def test_two_thousand_links_are_let_through() -> None:
    mail = compile_mail(mails.source(body="[a](https://example.org/) " * 2_000))
    assert len(mail.links) == 2_000


@pytest.mark.parametrize("form", ["markdown", "html", "mjml"])
def test_half_of_a_character_is_named_with_its_place(form: str) -> None:
    """The parsers would fail on it, unforeseen."""
    (fault,) = faults(body="a\nb\ud800", body_format=form)
    assert (fault.field, fault.line, fault.column) == ("body", 2, 2)
    assert fault.message.startswith("has half of a character")


@pytest.mark.parametrize("form", ["markdown", "html", "mjml"])
@pytest.mark.parametrize(
    "opening",
    ["<", "</", "<a", "<a ", "<!--", "<!--<", "<b>", "</b>", "<p>", "[", "![", "](", "> ", "- ",
     "1. ", "\n ", "\n\t>", "href ", "<x/>", "<b a='", "--", "\\[", "<style>", "<title", "]:"],
)  # fmt: skip
def test_the_counting_is_linear(opening: str, form: str) -> None:
    """Of 100 kB of each opening."""
    text = opening * (100_000 // len(opening))
    began = time.process_time()
    bounds.faults({"body": text, "layout": text}, body_format=form, layout_format="html")
    assert time.process_time() - began < 0.5
