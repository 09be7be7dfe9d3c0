"""A style hides what CSS says it hides, and nothing else."""

import pytest

from newsletter.content.visibility import Seen


def can_be_seen(*styles: str) -> bool:
    """Return whether words within elements of these styles, outermost first, can be seen."""
    seen = Seen()
    for style in styles:
        seen = seen.within(style)
    return seen.can_be_seen


@pytest.mark.parametrize(
    "styles",
    [
        ("display:none",), ("display:none", "display:block"), ("DISPLAY : None !important",),
        ("display:none!important;display:block",), ("display:block;display:none",),
        ("mso-hide:all",), ("visibility:hidden",), ("visibility:collapse",),
        ("visibility:hidden", "color:red"), ("font-size:0",), ("font-size:0px", "color:red"),
        ("font-size:0px", "font-size:2em"), ("font-size:0.0pt",),
        ("font-size:0px", "font-size:120%"),
        ("font-size:0", "font-size:larger"), ("font-size:16px", "font-size:0%"),
        ("font:0/0 a",), ("font:italic bold 0px/1.2 Arial",), ("font-size:12px;font:0px 'A 1px'",),
        ("max-height:0;overflow:hidden",), ("height:0px;overflow:hidden", "height:9px"),
        ("max-width:0;overflow:hidden",), ("overflow-y:hidden;max-height:0em",), ("opacity:0",),
        ("opacity:0.0", "opacity:1"), ("opacity:0%",), ("opacity:.01",), ("font-size:1px",),
        ("font-size:2pt",), ("color:#fff",), ("color:rgb(254,254,254)",), ("color:transparent",),
        ("background:#123456", "color:#123456"), ("background-color:red;color:red",),
        ("position:absolute;left:-9999px",), ("text-indent:-999em",), ("margin-left:-5000px",),
        ("position:absolute;clip:rect(0, 0, 0, 0)",), ("transform:scale(0)",),
        ("/* a:b; */display:/**/none",),
    ],
)  # fmt: skip
def test_what_a_style_hides(styles: tuple[str, ...]) -> None:
    """M-6, L-5."""
    assert not can_be_seen(*styles)


@pytest.mark.parametrize(
    "styles",
    [
        ("",), ("font-size:0px", "font-size:13px"), ("font-size:0", "", "font:16px/1.6 Arial"),
        ("font-size:0", "font:bold small-caps 12pt 'A 0px', serif"),
        ("font-size:0", "font-size:small"),
        ("font-size:0", "font-size:1rem"), ("font-size:10px", "font-size:.5em"),
        ("visibility:hidden", "visibility:visible"), ("display:none;display:block",),
        ("display:none;display:inline!important;display:none",), ("max-height:0",),
        ("overflow:hidden;height:10px",), ("opacity:0;opacity:0.5",),
        ("color:white;background:#000",), ("background:black", "color:#fff"),
        ("background:#333 url(a)", "color:#333"), ("left:-9999px",), ("margin-left:-20px",),
        ("background:#fff", "background:transparent;color:#333"), ("color:var(--x)",),
        ("font-size:0;font-size:12px",), ("font-size:12px;font-size:bogus",), ("font-family:none",),
        ("background:url(a;display:none)",), ("content:'display:none'",), ("line-height:0",),
        ("-x-display:none",), ("font-size:0;font:12px Arial",), ("mso-hide:none",),
        ("font:12px Arial;font:var(--x)",),
    ],
)  # fmt: skip
def test_what_a_style_does_not_hide(styles: tuple[str, ...]) -> None:
    """MJML sets font-size 0 on every wrapper and the size again within."""
    assert can_be_seen(*styles)


def test_hidden_is_undone_by_a_display_of_its_own() -> None:
    assert not Seen().within("", is_hidden=True).can_be_seen
    assert not Seen().within("color:red", is_hidden=True).within("display:block").can_be_seen
    assert Seen().within("display:block", is_hidden=True).can_be_seen
