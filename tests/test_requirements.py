"""Citations resolve: requirements on their page, parts of the house in docs/architecture.md."""

import os
import re

import pytest

from tests.requirements import (
    HOW_TO_RENEW,
    PAGE,
    ROOT,
    citations,
    entries,
    ids,
    renewed,
    sources,
)

ARCHITECTURE = "docs/architecture.md"
_OF_ARCHITECTURE = re.compile(rf'{re.escape(ARCHITECTURE)},[\s#]+"([^"]+)"')
_FOREIGN = re.compile(r"\b(?:design|standards|promises)\.md\b")


def test_the_page_lists_who_cites_what() -> None:
    """The lists are generated; WRITE_PAGE=1 writes them anew."""
    if os.environ.get("WRITE_PAGE"):
        PAGE.write_text(renewed(PAGE.read_text()))
    assert PAGE.read_text() == renewed(PAGE.read_text()), HOW_TO_RENEW


def test_every_cited_requirement_stands_on_the_page() -> None:
    missing = set(citations()) - set(entries(PAGE.read_text()))
    assert not missing, f"write these into {PAGE.name}: {sorted(missing)}"


def test_every_requirement_on_the_page_is_cited_or_not_yet_built() -> None:
    cited = citations()
    for requirement, lines in entries(PAGE.read_text()).items():
        is_open = any(line.startswith("Not yet:") for line in lines)
        assert requirement in cited or is_open, f"nobody cites {requirement}"


def test_every_requirement_has_a_sentence_and_a_source() -> None:
    for requirement, lines in entries(PAGE.read_text()).items():
        text = [line for line in lines if line and not line.startswith("- ")]
        sources_of = [line for line in text if line.startswith("Source: ")]
        assert len(sources_of) == 1, requirement
        assert text[0] != sources_of[0], f"{requirement} says nothing"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one-click (U-1, L-20)", ["U-1", "L-20"]),
        ("AT-U1, AT-C7: P7 and P-7", ["AT-U1", "AT-C7", "P7", "P-7"]),
        ("B-1 to B-3, C-3", ["B-1", "B-2", "B-3", "C-3"]),
        ("AT-U1 to\n    AT-U3.", ["AT-U1", "AT-U2", "AT-U3"]),
        ("RFC 8058, UTF-8, SHA-256, AC-13, RP-001, TSS04, P50, P20, X-1a, WCAG-2", []),
        ("C-13-b, a-U-1, 5-S-1, M-1.5, AT-U1x, _S-1", []),
    ],
)
def test_ids_are_told_from_what_looks_like_them(text: str, expected: list[str]) -> None:
    assert [requirement for requirement, _ in ids(text)] == expected


def test_a_range_over_two_families_is_refused() -> None:
    with pytest.raises(ValueError, match="is no range"):
        list(ids("U-1 to L-3"))


def test_every_cited_part_of_the_architecture_is_a_heading_there() -> None:
    headings = set(re.findall(r"^#+ (.+)$", (ROOT / ARCHITECTURE).read_text(), re.MULTILINE))
    for path in sources():
        for name in _OF_ARCHITECTURE.findall(path.read_text()):
            assert name in headings, f"{path.relative_to(ROOT)} cites {name}"


def test_nobody_cites_a_page_that_is_not_here() -> None:
    for path in sources():
        assert not _FOREIGN.search(path.read_text()), path.relative_to(ROOT)
