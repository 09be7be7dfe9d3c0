"""The suite mirrors the tree: who knows a module knows where its tests are.

What lies beside this file speaks of the whole house; journeys and faults tell whole stories.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
STORIES = ("journeys", "faults")
FILES = sorted(
    path.relative_to(TESTS).as_posix()
    for path in TESTS.rglob("test_*.py")
    if path.parent != TESTS and path.relative_to(TESTS).parts[0] not in STORIES
)


def mirrored(file: str) -> list[Path]:
    """Return the modules and packages a test file says it mirrors, by its name or its sentence."""
    path = TESTS / file
    sentence = ast.get_docstring(ast.parse(path.read_text())) or ""
    if several := re.search(r"Mirrors several: ([^:]+)\.$", sentence, re.M | re.S):
        return [ROOT / name for name in re.split(r",\s+", several[1])]
    name = Path(file).parent / path.stem.removeprefix("test_")
    package = ROOT / name
    return [package if package.is_dir() else ROOT / f"{name}.py"]


@pytest.mark.parametrize("file", FILES)
def test_each_test_file_mirrors_a_module_or_says_which(file: str) -> None:
    missing = [str(path) for path in mirrored(file) if not path.exists()]
    assert missing == [], f"move or rename {file}, or have it say “Mirrors several: …”"


def test_what_mirrors_several_names_more_than_one() -> None:
    for file in FILES:
        if "Mirrors several" in (TESTS / file).read_text():
            assert len(mirrored(file)) > 1, f"name {file} after the one it mirrors"


def test_no_two_files_have_one_name() -> None:
    names = [path.name for path in TESTS.rglob("test_*.py")]
    assert len(names) == len(set(names))
