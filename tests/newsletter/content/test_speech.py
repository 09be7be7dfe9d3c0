"""Every page says its language and direction where mail programs leave it."""

import re

import pytest

from newsletter.content.compiling import compilation
from newsletter.content.speech import Speech, spoken
from tests.newsletter.mails import source

ARABIC = Speech("ar", is_right_to_left=True)
SAYS = ' lang="ar" dir="rtl"'


@pytest.mark.parametrize(
    ("page", "is_said"),
    [
        ("<html><body><p>a</p><p>b</p>", "<html{0}><body><p{0}>a</p><p>b</p>"),
        (
            '<html><body><div style="display:none">a<div>b</div></div><table><tr>',
            '<html{0}><body><div{0} style="display:none">a<div>b</div></div><table{0}><tr>',
        ),
        (
            '<html lang="ur"><head><meta><title><p></title></head><body><div hidden>a</div><p>b',
            '<html dir="rtl" lang="ur"><head><meta><title><p></title></head><body>'
            '<div lang="ur" dir="rtl" hidden>a</div><p lang="ur" dir="rtl">b',
        ),
        (
            "<!-- <html><body><p> --><html><body><p>",
            "<!-- <html><body><p> --><html{0}><body><p{0}>",
        ),
        ('<p dir="ltr">a</p>', '<p lang="ar" dir="ltr">a</p>'),
        ("no element", "no element"),
    ],
)
def test_language_and_direction_are_said(page: str, is_said: str) -> None:
    """M-12: clients strip <html> and <body>."""
    assert spoken(page, ARABIC) == is_said.format(SAYS)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "- a\n\n> b"},
        {"body": "<p>x</p>", "body_format": "html"},
        {"body": "<!doctype html><html><body><p>x</p></body></html>", "body_format": "html"},
        {"body": "x", "layout": "<html><body>{{ content }}</body></html>", "layout_format": "html"},
        {"body": "<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>",
         "body_format": "mjml"},
        {"body": "<mjml><mj-body><mj-section /></mj-body></mjml>", "body_format": "mjml"},
        {"body": "x", "layout": "<mjml><mj-body>{{ content }}</mj-body></mjml>"},
        {"body": "x", "kind": "notice", "list_id": "", "reason_line": "why"},
    ],
)  # fmt: skip
def test_every_kind_of_page_says_it(changes: dict[str, str]) -> None:
    """Issue 9, B9: bodies and layouts of each format."""
    made = compilation(source(**changes, locale="ar", preheader="Soon"))
    html = made.mail.html.replace("{{ mail.locale }}", "ar").replace("{{ mail.direction }}", "rtl")
    assert re.search(r"<html[^>]* dir=\"rtl\"", html)
    shown = html[html.index("<body") :]
    (first, *_) = re.findall(r"<(?:div|table|p|ul)\b[^>]*>", shown)
    assert 'lang="ar"' in first and 'dir="rtl"' in first
    assert made.taken_out == []
