"""What an older Heed compiled still leaves as it would have then.

version_1.json was written once by the first code that froze mails (its compiler and renderer, at
"senders: end the chain at the wall between clients"); it is never made anew.

Mirrors several: newsletter/rendering/renderer.py, newsletter/rendering/splicing.py.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from newsletter.content.compiling import CompiledMail
from newsletter.rendering.renderer import Renderer
from tests.newsletter.mails import ada, parsed, part

KEPT: dict[str, Any] = json.loads((Path(__file__).parent / "version_1.json").read_text())


def masked(text: str) -> str:
    """Return a part without what the keys of an installation make of a link."""
    return re.sub(r"(https://m\.example\.org/[a-z]/)[A-Za-z0-9_-]{20,}", r"\1TOKEN", text)


@pytest.mark.parametrize("person", KEPT["people"])
@pytest.mark.parametrize("name", KEPT["mails"])
def test_a_mail_of_version_1_renders_as_it_did(name: str, person: str) -> None:
    """Design.md §5: a mailing that began before an update goes on after it."""
    kept = KEPT["mails"][name]
    compiled = CompiledMail.load(json.dumps(kept["compiled"]))
    renderer = Renderer(compiled, mailing=7, link_ids=range(1, len(compiled.links) + 1))
    data = renderer.render(ada(**KEPT["people"][person]))
    assert {
        "subject": parsed(data)["Subject"],
        "text": masked(part(data, "plain")),
        "html": masked(part(data, "html")),
    } == kept["rendered"][person]
