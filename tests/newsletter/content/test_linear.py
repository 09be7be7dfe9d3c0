"""No text of an author takes longer than its length: much of each opening through each function.

Mirrors several: newsletter/content, newsletter/review, newsletter/admin/previews.py,
newsletter/transports/providers/placeholders.py.
"""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from newsletter.admin.previews import _in_scheme
from newsletter.content import (
    link_rewriting,
    markup,
    mjml_source,
    personalising,
    plain_text,
)
from newsletter.content.attributes import attributes, with_attributes
from newsletter.content.errors import SourceErrors
from newsletter.content.html_tokens import start_tags, tokens
from newsletter.content.liquid_tags import Tags, between, markup_in_strings
from newsletter.content.mjml_tags import begins_whole
from newsletter.content.refusing import refuse_active
from newsletter.rendering.visible_text import plain, visible_content
from newsletter.transports.providers.placeholders import unfit

SIZE = 30_000
LONGEST = 0.4
"""Seconds of processor time; what was quadratic took ten times as much, or ten thousand."""
OPENINGS = (
    "<", "<!--", "<!---->", "<!-- -", "<![CDATA[", "<!", "<?", "</", "<style>", "<STYLE>",
    "<title>", "<textarea>", "<script>", "<mj-style>", "<mj-text>", "<mj-image", "<mj-image ",
    "<table>", "<table", "<body", "<link ", "<meta ", "<a ", "<a", "<a href=\"", "<a href='",
    "<a x=", "<a =", "<a/", "<b>", "<p>", "<div><p>", "<td>", "<li>", "&", "&amp", "&#", "&#x",
    "\"", "'", "{", "{{", "{{ ", "{{ x", "{{-", "{%", "{% ", "{%-", "{% raw %}", "{% comment %}",
    "{% # ", "{% if x %}", "{% for", "{{ '", "{{ \"", "{{ x | ", "{{ (", "{{ x[", "{{ x.", "}}",
    "%}", "{#", "{$a", "{{{ ", "(", "( ", " ", "\n", "\t", "[", "](", "[](", "![", "[a](", "`",
    "` ", "``", "*", "**", "_", "*a ", "__a", "~~", ">", "> ", "- ", "-", "1. ", "1.", "#", "|",
    "|-", "\\", "a@", "http://", "<http:", "lqd", "lqdq", "lqd1", "=?", "\u00a0", "\u200b",
    "prefers-color-scheme", ": ", "\ud83d\ude00",
)  # fmt: skip


def fill(opening: str) -> str:
    """Return much of an opening."""
    return (opening * (SIZE // len(opening) + 1))[:SIZE]


def swapped(source: str) -> None:
    """Swap the Liquid of a source and put it back."""
    tags = Tags(source)
    html = tags.swap(source, field="body")
    tags.missing_from(html)
    tags.into_text(html)
    tags.into_html(tags.as_comments(html))
    markup_in_strings(tags.tags)
    for tag in tags.tags[:3]:
        assert isinstance(tag.expression, str)


def pixel(html: str) -> None:
    """Go the way of a page's links."""
    tags = Tags(html)
    page = link_rewriting.checked(html, tags)
    page, _ = link_rewriting.rewritable(page, tags, base="https://m.example.org")
    link_rewriting.with_pixel(page, tags)


def read(text: str) -> None:
    """Read MJML, alone and as the content of its elements."""
    for source in (text, f"<mjml><mj-body><mj-section><mj-column><mj-text>{text}"):
        with suppress(SourceErrors):
            mjml_source.read(source, Tags(source), within="", name="body")


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "tokens": lambda text: list(tokens(text)) + list(tokens(text, xml=True)),
    "attributes": lambda text: [
        *attributes("<a " + text),
        with_attributes("<a " + text, lambda _, value: value),
    ],
    "tags": lambda text: between(text, str),
    "swap": swapped,
    "liquid": lambda text: personalising.syntax_faults("body", text),
    "unknown": lambda text: personalising.unknown("body", text, {}),
    "inside": lambda text: personalising.syntax_faults("body", "{{ " + text + " }}"),
    "links": pixel,
    "inert": link_rewriting.inert,
    "active": lambda text: refuse_active(text, Tags(text), field="layout"),
    "mjml": read,
    "whole": lambda text: begins_whole("<!---->" * 23 + text, Tags()),
    "text": lambda text: plain_text.from_html(text, Tags()),
    "visible": visible_content,
    "plain": plain,
    "images": lambda text: [*start_tags(text, "mj-image", xml=True)],
    "scheme": lambda text: _in_scheme("<style>" + text, dark=True),
    "providers": lambda text: [
        unfit(name, text) for name in ("brevo", "unisender_go", "mailersend", "mailgun", "postmark")
    ],
    "rows": lambda text: markup._with_bodies(text, Tags()),
}


@pytest.mark.parametrize("opening", OPENINGS)
def test_every_function_is_linear_in_what_an_author_writes(opening: str) -> None:
    """Issue 9, A1: `<!--` × 8,000 took seconds, 23 × `<!---->` before `<mj-text>` 42 s."""
    text = fill(opening)
    took: dict[str, float] = {}
    for name, function in FUNCTIONS.items():
        started = time.process_time()
        with suppress(SourceErrors):
            function(text)
        took[name] = time.process_time() - started
    assert {name: seconds for name, seconds in took.items() if seconds > LONGEST} == {}
