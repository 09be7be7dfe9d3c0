"""The kept answers of a browser about odd addresses, asked for anew in the long run of faults."""

import pytest

from tests.faults.patience import LONG
from tests.newsletter.content import odd_addresses
from tests.newsletter.content.test_web_addresses import ANSWERS


@pytest.mark.skipif(not LONG, reason="the everyday suite compares with the kept answers")
def test_a_browser_still_reads_odd_addresses_as_it_did() -> None:
    """B2: where this fails, the browser has changed; make the file anew with its command."""
    _, answers = odd_addresses.asked_of_chromium()
    assert answers == ANSWERS
