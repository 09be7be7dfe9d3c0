"""What stopped the web process once ends in a sentence, soon, and in another process (A1)."""

import contextlib
import resource
import time

import pytest

from newsletter import sandbox
from newsletter.content.errors import SourceErrors
from tests.newsletter import mails

RANGE = "{{ (1..4000000) | join }}"
BOMBS: dict[str, dict[str, str]] = {
    "elements": {"body": "<b>" * 12_000, "body_format": "html"},
    "comments before": {"body": "<!---->" * 23 + "<mj-text>", "body_format": "mjml"},
    "comments": {"body": "<!--" * 8_000, "body_format": "html"},
    "comments in a layout": {"layout": "<!--" * 8_000 + "{{ content }}", "layout_format": "html"},
    "styles": {"body": "<style>" * 8_000, "body_format": "html"},
    "titles": {"body": "<title>" * 8_000, "body_format": "html"},
    "titles in MJML": {"body": "<mj-title>" * 8_000, "body_format": "mjml"},
    "join": {"body": RANGE},
    "join when it is cut": {"body": "{{ (1..1000000) | join }}"},
    "join in the subject": {"subject": RANGE},
    "join in the layout": {"layout": f"{RANGE} {{{{ content }}}}", "layout_format": "html"},
    "reversed": {"body": "{% for n in (1..9000000) reversed %}{{ n }}{% endfor %}"},
    "sort": {"body": "{{ (1..9000000) | sort | size }}"},
    "split": {"body": '{% assign a = "aaaaaaaaaa" %}' + '{% assign a = a | replace: "a", a %}' * 6},
    "brackets": {"body": "[" * 100_000},
    "attributes": {"body": "<a " + "b='c' " * 30_000, "body_format": "html"},
    "active formatting": {"body": "<p><b a=1><b a=2><b a=3></p>" * 7_000, "body_format": "html"},
    "styles that match": {
        "body": f"<style>{'b b b b b b b b{color:red}' * 4_000}</style>" + "<b>a</b>" * 9_000,
        "body_format": "html",
    },
}


EVERYDAY = (
    "elements", "comments before", "styles", "titles", "join when it is cut", "brackets",
    "active formatting", "split",
)  # fmt: skip
"""Those that are quick, and two that use their time up; all are typed in tests/faults."""


@pytest.mark.parametrize("name", EVERYDAY)
def test_a_bomb_ends_within_its_bounds_and_not_here(name: str) -> None:
    """Whether it is refused or made, this process neither grows nor works."""
    sandbox.compile_mail(mails.source())
    before, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    with contextlib.suppress(SourceErrors):
        sandbox.look(mails.ada(), source=mails.source(**BOMBS[name]))
    assert time.monotonic() - began < 15
    assert time.process_time() - before < 0.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 60_000
