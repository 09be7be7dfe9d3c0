"""A page is looked at wide and narrow, light and dark, with its style sheets applied."""

import pytest

from newsletter.rendering.appearances import appearances, holds
from newsletter.rendering.visible_text import visible_content

PAGE = "<html><head><style>{}</style></head><body><p class=f style='{}'>foot</p></body></html>"


@pytest.mark.parametrize(
    ("css", "style", "hidden"),
    [
        (".f { display: none }", "", 1),
        (".f { display: none }", "display: block", 0),
        (".f { display: none !important }", "display: block", 1),
        ("@media (max-width: 480px) { .f { display: none !important } }", "", 1),
        ("@media only screen and (max-width: 480px) { .f { opacity: 0 } }", "", 1),
        ("@media (max-width: 300px) { .f { display: none } }", "", 0),
        ("@media (min-width: 500px) { .f { display: none } }", "", 1),
        ("@media print { .f { display: none } }", "", 0),
        ("@media not screen { .f { display: none } }", "", 0),
        ("@media (prefers-color-scheme: dark) { .f { color: #fff } }", "", 1),
        ("@media (prefers-color-scheme: dark) { .f { color: #fff !important } }", "color:#000", 1),
        (
            "@media (prefers-color-scheme: dark)"
            " { body { background: #111 } .f { color: #fff !important } }",
            "color:#000",
            0,
        ),
        ("@supports (display: grid) { .f { display: none } }", "", 1),
        ("@media (width <= 400px) { .f { display: none } }", "", 1),
        ("p { color: red }", "", 0),
    ],
)
def test_what_is_hidden_in_one_of_its_appearances_is_found(
    css: str, style: str, hidden: int
) -> None:
    """Issue 9, B8: at 600 and 390 px, light and dark."""
    shown = appearances(PAGE.format(css, style))
    unseen = [how for how, page in shown.items() if "foot" not in visible_content(page).text]
    assert bool(unseen) == bool(hidden)


def test_a_page_without_style_sheets_looks_one_way() -> None:
    assert list(appearances("<p>x</p>")) == [""]


def test_media_queries_are_read_with_their_commas_and_units() -> None:
    assert holds("print, screen and (max-width: 40em)", 600, "light")
    assert not holds("(min-width: 40em)", 600, "light")
    assert holds("(-webkit-min-device-pixel-ratio: 2)", 600, "light")
