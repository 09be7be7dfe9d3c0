"""What Heed makes of MJML shows what the reference shows; where, tests/faults asks a browser.

Mirrors several: newsletter/content/mjml.py, newsletter/content/mjml_output.py.
"""

import json
import re
from html import unescape

import pytest

from newsletter.rendering.visible_text import plain
from tests.newsletter.content.mjml_pages import PAGES
from tests.newsletter.content.mjml_reference import KEPT, made_here

REFERENCE = json.loads(KEPT.read_text())["boxes"]


@pytest.mark.parametrize("name", PAGES)
def test_the_words_and_pictures_of_the_reference_are_there(name: str) -> None:
    """Issue 9, B5: the kept file names the version it was made with, and how."""
    html = made_here(PAGES[name])
    text = plain(unescape(re.sub(r"<[^>]*>", " ", html)))
    for width in REFERENCE[name].values():
        for what, *_ in width:
            if what.startswith("image "):
                assert f'src="{what.removeprefix("image ")}"' in html
            else:
                assert plain(what) in text


def test_every_page_is_in_the_kept_file() -> None:
    assert list(REFERENCE) == list(PAGES)
    assert len(PAGES) >= 40
