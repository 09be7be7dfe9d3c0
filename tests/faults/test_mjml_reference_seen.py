"""What Heed makes of MJML stands where the reference puts it, in a browser, at 600 and 390 px."""

import json

import pytest

from tests.faults.patience import LONG
from tests.newsletter.content import mjml_reference
from tests.newsletter.content.mjml_pages import PAGES

TOLERANCE = 1
"""Pixels that a place or a size may differ by."""


@pytest.mark.skipif(not LONG, reason="the everyday suite compares words and pictures alone")
def test_every_page_stands_where_the_reference_puts_it() -> None:
    """Issue 9, B5: the kept file names the version it was made with, and how."""
    kept = json.loads(mjml_reference.KEPT.read_text())["boxes"]
    seen = mjml_reference.boxes(
        {name: mjml_reference.made_here(text) for name, text in PAGES.items()}
    )
    apart = [
        (name, width, theirs, ours)
        for name in PAGES
        for width in kept[name]
        for theirs, ours in zip(kept[name][width], seen[name][width], strict=True)
        if theirs[0] != ours[0]
        or any(abs(a - b) > TOLERANCE for a, b in zip(theirs[1:], ours[1:], strict=True))
    ]
    assert apart == []
