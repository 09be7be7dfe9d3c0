"""The page about providers says what was proven, and nothing that was not.

Mirrors several: newsletter/transports/providers, docs/providers.md.
"""

import os
from pathlib import Path

from django.conf import settings

from tests.newsletter.transports.providers.proving import page

PAGE = Path(settings.BASE_DIR) / "docs" / "providers.md"


def test_the_page_about_providers_says_what_is_proven() -> None:
    """The capability table is generated; WRITE_PAGE=1 writes it anew."""
    text = page()
    if os.environ.get("WRITE_PAGE"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "make docs/providers.md anew, as its first lines say"
