"""Whatever acts, submits or loads by itself is refused at its place, and nothing else is."""

import pytest

from newsletter.content.errors import SourceErrors
from newsletter.content.liquid_tags import Tags
from newsletter.content.refusing import refuse_active


def refused(html: str) -> list[tuple[int | None, str]]:
    """Return line and reason of each thing refused."""
    try:
        refuse_active(html, Tags(html), field="layout")
    except SourceErrors as error:
        return [(fault.line, fault.message) for fault in error.faults]
    return []


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>", "<SCRIPT src=x>", "<script", "<p onclick='x()'>", '<p ONCLICK="x">',
        "<p/onclick=x>", '<img src="x"onerror=x>', '<img src=x"y onerror=x>', "<p onclick = x>",
        "<iframe src=x>", "<form>", "<object>", "<embed>", "<applet>", "<frameset>",
        "<meta http-equiv=refresh content=0>", "<meta content=0 HTTP-EQUIV='Refresh'>",
        "<link rel=stylesheet href=x>", "<link href='https://x/'>", "<link rel=import href='//x'>",
        "<base href='https://x/'>", "<base target=_blank href=x>", "<button>x</button>", "<input>",
        "<input type=submit>", "<!--[if mso]><script>x</script><![endif]-->",
        "<!--[if mso]><p onclick=x><![endif]-->", "<!--><script>x</script>-->",
        "<!---><script>-->", "<!-- x --!><script>x</script>", "<style><!-- </style><script>-->",
        "<!--[if mso]><style>--><script></style>", '<!--[if mso]><a title="--><script>">',
        "<mj-title></title><!-- --><script></mj-title>", "<mj-style><!-- </style><script>-->",
        "<mj-raw><script></mj-raw>", "<title></title><script>", "<textarea></textarea><script>",
    ],
)  # fmt: skip
def test_what_acts_is_refused(html: str) -> None:
    """M-14: as a browser would find it, in comments for Outlook too."""
    assert [line for line, _ in refused(f"<p>\n{html}")] == [2]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://x.example/?a=1/onsale=1">x</a>', "<p title=' onclick=x '>",
        "<!-- <script> -->",
        "<!-- <p onclick=x> <link> --><p>x", "<style>a:before { content: '<script>' }</style>",
        "<title>How to write <script></title>", "<p>a < b onclick=c > d", "<p on='2'>",
        '<link rel="stylesheet" href="https://f.example/css?family=Lato&amp;x=1">',
        '<link rel="preconnect" href="https://f.example" crossorigin>',
        "<link rel=icon href=//x/i>",
        '<link href="https://f.example/a.css" rel="Stylesheet" type="text/css" />',
        "<base target='_blank'>", "<input type='checkbox' id='a'><input type=RADIO>",
        "<meta http-equiv='X-UA-Compatible' content='IE=edge'>", "<formula><buttons><linked>",
        "<!--[if mso]><style>p > a { color: red }</style><v:rect href='https://x/' /><![endif]-->",
    ],
)  # fmt: skip
def test_what_does_not_act_is_not(html: str) -> None:
    """32 of 202 real layouts were refused for <link>, others for /onsale= or a comment."""
    assert refused(html) == []


@pytest.mark.parametrize(
    ("html", "sentence"),
    [
        ("<button>", "make it a link"), ("<base href=x>", "whole addresses"),
        ("<link rel=stylesheet href=x>", "a whole address"), ("<input>", "checkboxes"),
        ("<script>", "<script> is not allowed in mail"),
    ],
)  # fmt: skip
def test_each_has_its_sentence(html: str, sentence: str) -> None:
    assert sentence in refused(html)[0][1]


def test_everything_refused_is_told_together() -> None:
    assert [line for line, _ in refused("<script></script>\n<form>\n<p>\n<p onclick=x>")] == [
        1,
        2,
        4,
    ]
