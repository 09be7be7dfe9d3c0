"""Which test and which module cites which requirement; docs/requirements.md is held by this."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "requirements.md"
HOW_TO_RENEW = "docs/requirements.md is out of date; its first lines say how to make it anew"
READ = {".py", ".html", ".lua", ".md", ".txt", ".toml", ".yaml"}
UNREAD = {"requirements", "var", "build", "node_modules"}
OURS = {PAGE, Path(__file__).resolve(), ROOT / "tests" / "test_requirements.py"}
"""The page and what holds it, which name ids without citing them."""
_ID = r"AT-[A-Z]\d{1,2}|[A-Z]-\d{1,2}|P(?:1\d|[1-9])"
_CITED = re.compile(rf"(?<![\w-])({_ID})(?:\s+to\s+({_ID}))?(?![\w-]|\.\d)")
_HEADING = re.compile(r"#{2,} (.+)")


def ids(text: str) -> Iterator[tuple[str, int]]:
    """Yield every id a text cites, those between the ends of a range too, with its line."""
    for match in _CITED.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        for requirement in _span(match[1], match[2] or match[1]):
            yield requirement, line


def _span(first: str, last: str) -> list[str]:
    family, start = _parts(first)
    other, end = _parts(last)
    if family != other or end < start:
        raise ValueError(f"{first} to {last} is no range")
    return [f"{family}{number}" for number in range(start, end + 1)]


def _parts(requirement: str) -> tuple[str, int]:
    family = requirement.rstrip("0123456789")
    return family, int(requirement[len(family) :])


def sources() -> list[Path]:
    """Return every file of the house that may cite."""
    rooms = [room for room in ROOT.iterdir() if room.name not in UNREAD and room.name[0] != "."]
    paths = [path for room in rooms for path in ([room] if room.is_file() else room.rglob("*"))]
    return sorted(path for path in paths if path.suffix in READ and path not in OURS)


def citations() -> dict[str, list[str]]:
    """Return where each requirement is cited: tests by their node id, then other files."""
    places: dict[str, set[str]] = defaultdict(set)
    for path in sources():
        text = path.read_text()
        name = path.relative_to(ROOT).as_posix()
        tests = _tests(text) if path.name.startswith("test_") else {}
        for requirement, line in ids(text):
            test = tests.get(line)
            places[requirement].add(f"{name}::{test}" if test else name)
    return {
        requirement: sorted(names, key=lambda name: (not name.startswith("tests/"), name))
        for requirement, names in places.items()
    }


def _tests(text: str) -> dict[int, str]:
    """Return which test each line of a test file belongs to, its decorators included."""
    return {
        line: node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for line in range(
            min([node.lineno, *(part.lineno for part in node.decorator_list)]),
            (node.end_lineno or 0) + 1,
        )
    }


def entries(page: str) -> dict[str, list[str]]:
    """Return the lines of each requirement on the page, by its id."""
    lines: dict[str, list[str]] = {}
    entry: list[str] = []
    for line in page.splitlines():
        if heading := _HEADING.fullmatch(line):
            entry = []
            if re.fullmatch(_ID, heading[1]):
                if heading[1] in lines:
                    raise ValueError(f"{heading[1]} stands twice")
                lines[heading[1]] = entry
        else:
            entry.append(line)
    return lines


def renewed(page: str) -> str:
    """Return the page with the list under each requirement made anew; the rest is written."""
    places = citations()
    blocks: list[list[str]] = [[]]
    for line in page.splitlines():
        if _HEADING.fullmatch(line):
            blocks.append([line])
        elif len(blocks) == 1 or not line.startswith("- "):
            blocks[-1].append(line)
    return "\n".join(line for block in blocks for line in _with_list(block, places)) + "\n"


def _with_list(block: list[str], places: dict[str, list[str]]) -> list[str]:
    heading = _HEADING.fullmatch(block[0]) if block else None
    if not heading or not re.fullmatch(_ID, heading[1]):
        return block
    written = "\n".join(block).strip().splitlines()
    names = [f"- `{name}`" for name in places.get(heading[1], [])]
    return [*written, *([""] if names else []), *names, ""]
