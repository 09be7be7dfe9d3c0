"""The documents keep up with the house: decisions, links, names of modules, words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if path.name != "CHANGELOG.md"
)
RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_decision_has_its_date_its_status_and_its_place_in_the_index(record: Path) -> None:
    lines = record.read_text().splitlines()
    title = re.fullmatch(r"# (\d+)\. (.+)", lines[0])
    state = re.fullmatch(r"Date: (\d{4}-\d\d-\d\d) · Status: (accepted|superseded by .+)", lines[2])
    assert title and state
    assert int(title[1]) == int(record.name[:4])
    assert len(lines) <= 30
    for part in ("**Context.**", "**Decision.**", "**Cost.**"):
        assert sum(line.startswith(part) for line in lines) == 1
    row = f"| {title[1]} | [{title[2]}]({record.name}) | {state[1]} | {state[2]} |"
    assert row in (DECISIONS / "README.md").read_text().splitlines()


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


def _anchor(heading: str) -> str:
    """Return a heading as the hosting makes it into a link's end."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return kept.replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=_name)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, part = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{_name(page)} links to {target}"
        if part:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), flags=re.MULTILINE)
            assert part in map(_anchor, headings), f"{_name(page)} links to {target}"


HOUSE = ("config", "tracking", "newsletter", "registrants", "accountability", "redis_store")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
WORDS = [
    word.strip().strip("*")
    for cell in re.findall(r"^\| ([^|]+) \| [^|]+ \|$", GLOSSARY, flags=re.MULTILINE)
    for word in cell.replace("**", "").split(" · ")
    if word not in ("word", "---")
]
BANNED = GLOSSARY.partition("Not used for any of these: ")[2].strip(" .\n").split(", ")


def _names(tree: ast.AST) -> Iterator[str]:
    """Return every identifier of a module, with underscores between the parts."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _texts(tree: ast.AST) -> Iterator[str]:
    """Return every string of a module, save patterns of what servers say in their own words."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not (isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"):
            yield from _texts(node)


@pytest.fixture(scope="module")
def vocabulary() -> tuple[str, str]:
    """Return all identifiers of the house, and all it says: strings of code and its templates."""
    names: set[str] = set()
    texts: list[str] = []
    for package in HOUSE:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            tree = ast.parse(path.read_text())
            names.update(_names(tree), [path.stem])
            texts += _texts(tree)
    texts += [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    return " ".join(names), " ".join(texts).lower()


@pytest.mark.parametrize("word", WORDS)
def test_each_word_of_the_glossary_is_used(word: str, vocabulary: tuple[str, str]) -> None:
    names, texts = vocabulary
    word = word.lower()
    assert re.sub(r"[ -]", "_", word) in names or word in texts


@pytest.mark.parametrize("word", BANNED)
def test_no_synonym_is_used(word: str, vocabulary: tuple[str, str]) -> None:
    names, texts = vocabulary
    assert not re.search(rf"(?:\b|_){word.replace(' ', '_')}s?(?:\b|_)", names)
    assert not re.search(rf"\b{word}s?\b", texts)
