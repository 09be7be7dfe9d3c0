"""The documents keep up with the house: decisions, links, names of modules, words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey

from registrants.gate import TABLE, MailKind

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


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def _table(heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading, cell by cell, without its rule."""
    text = ARCHITECTURE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [
        line.removeprefix("| ").removesuffix(" |").split(" | ")
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    return [row for row in rows if not row[0].startswith("---")]


def test_the_gate_is_drawn_as_it_is() -> None:
    head = ["refused because", *(str(kind.label) for kind in MailKind)]
    rows = [
        [str(rule.refusal.label), *("no" if kind in rule.refuses else "sent" for kind in MailKind)]
        for rule in TABLE
    ]
    assert _table("The gate") == [head, *rows]


OURS = [model for name in HOUSE[1:5] for model in apps.get_app_config(name).get_models()]


def test_every_table_is_drawn_with_its_keys_and_its_owner() -> None:
    facts = [model for model in OURS if not model._meta.proxy]
    keys = {
        f"{field.related_model.__name__} {model.__name__} : {field.name}"
        for model in facts
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey)
    }
    assert set(re.findall(r"^    (\w+ )\S+ (\w+ : \w+)$", ARCHITECTURE, re.MULTILINE)) == {
        (key.split(" ", 1)[0] + " ", key.split(" ", 1)[1]) for key in keys
    }
    owned = {row[0].strip("`/"): row[-1] for row in _table("The floors")[1:]}
    for package in HOUSE[1:5]:
        names = {model.__name__ for model in facts if model._meta.app_label == package}
        assert set(filter(None, owned[package].split(", "))) == names


@pytest.mark.parametrize("package", HOUSE[1:])
def test_every_room_is_drawn(package: str) -> None:
    drawn = ARCHITECTURE.partition("\n## The rooms\n")[2].partition("\n## ")[0]
    its = drawn.partition(f"`{package}/`")[2].partition("\n\n")[0]
    rooms = {
        path.stem
        for path in (ROOT / package).iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__", "migrations"}
    assert {room for room in rooms if f"`{room}`" not in its} == set()


FILES = [
    path.relative_to(ROOT).as_posix()
    for path in ROOT.rglob("*")
    if not {".venv", ".venv-uv", ".git", "var"} & set(path.relative_to(ROOT).parts[:1])
    and "__pycache__" not in path.parts
]
MODULES = {
    file.removesuffix(".py").removesuffix("/__init__").replace("/", "."): ROOT / file
    for file in FILES
    if file.endswith(".py")
}


def _is_dotted_name_known(name: str) -> bool:
    """Tell whether a dotted name is a module, or a name some module of that name writes."""
    modules = [module for module in MODULES if f".{module}".endswith(f".{name}")]
    if modules or f"{name.replace('.', '/')}" in FILES:
        return True
    parent, _, last = name.rpartition(".")
    if not parent:
        return False
    inside = [path for module, path in MODULES.items() if f".{module}".endswith(f".{parent}")]
    return any(re.search(rf"\b{last}\b", path.read_text()) for path in inside) or (
        "." in parent and _is_dotted_name_known(parent)
    )


PATH = re.compile(r"[\w.-]*(?:/[\w.-]+)*(?:/|\.(?:py|md|toml|html|mjml|lua|sh|po|mo|yml|yaml|txt))")
DOTTED = re.compile(r"[a-z_]+(?:\.\w+)+")
KNOWN = {"accountability", "benchmarks", "config", "local", "newsletter"}
KNOWN |= {"redis_store", "registrants", "tests", "tracking"}
KNOWN |= {module.rpartition(".")[2] for module in MODULES}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_file_and_module_a_page_names_is_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    missing = []
    for token in (part for code in re.findall(r"`([^`]+)`", text) for part in code.split()):
        name = token.partition("::")[0].replace(":", ".").strip("(),").rstrip(".")
        if PATH.fullmatch(name) and not name.startswith((".", "/", "var/")):
            wanted = name.strip("/")
            if not any(f"/{file}".endswith(f"/{wanted}") for file in FILES):
                missing.append(name)
        elif (
            DOTTED.fullmatch(name)
            and name.split(".")[0] in KNOWN
            and not _is_dotted_name_known(name)
        ):
            missing.append(name)
    assert missing == []


RECIPES = (ROOT / "CONTRIBUTING.md").read_text().partition("\n## Recipes\n")[2].split("\n### ")[1:]
IDENTIFIER = re.compile(r"_?[A-Za-z]\w*(?:\.\w+)*")


def _files_named(recipe: str) -> list[Path]:
    """Return the files a recipe names, and those of the folders it names."""
    named = [code for code in re.findall(r"`([^`]+)`", recipe) if PATH.fullmatch(code)]
    files = [file for file in FILES if any(f"/{file}".endswith(f"/{name}") for name in named)]
    folders = [name for name in named if name.endswith("/")]
    files += [file for file in FILES if file.startswith(tuple(folders)) and file.endswith(".py")]
    return [ROOT / file for file in files if (ROOT / file).is_file() and not file.endswith(".md")]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.partition("\n")[0])
def test_what_a_recipe_names_stands_in_a_file_it_names(recipe: str) -> None:
    files = _files_named(recipe)
    text = "\n".join(path.read_text() for path in files)
    names = {
        code
        for code in re.findall(r"`([^`]+)`", recipe)
        if IDENTIFIER.fullmatch(code) and not PATH.fullmatch(code)
    }
    parts = {part for name in names for part in name.split(".")} - {path.stem for path in files}
    assert {part for part in parts if not re.search(rf"\b{part}\b", text)} == set()
