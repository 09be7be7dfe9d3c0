"""The house keeps its rules: floors, strings that import, no room without a sentence."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parents[1]
FLOORS = [
    "redis_store",
    "accountability",
    "registrants",
    "newsletter",
    "tracking",
    "local",
    "config",
]
BESIDE = {"tests", "benchmarks"}
OURS = [app for app in apps.get_app_configs() if app.name in FLOORS]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    cache = f"--cache-dir={folder / '.cache'}"
    return subprocess.run([program, cache], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for name in FLOORS:
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_contracts_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout


BREACHES = [
    ("Between packages, only down", "registrants/gate.py", "import newsletter.links"),
    ("Between packages, only down", "newsletter/links.py", "import tracking.events"),
    (
        "Inside redis_store, only down",
        "redis_store/connection.py",
        "import redis_store.rate_limits",
    ),
    (
        "Inside delivery, only down",
        "newsletter/delivery/journal.py",
        "import newsletter.delivery.run",
    ),
    (
        "Inside the sandbox, only down",
        "newsletter/sandbox/frames.py",
        "import newsletter.sandbox.pool",
    ),
    (
        "What works on typed text knows no database, no settings, no Redis",
        "newsletter/content/layout.py",
        "import newsletter.models",
    ),
    ("Inside accountability, only down", "accountability/roles.py", "import accountability.audit"),
    ("Inside registrants, only down", "registrants/gate.py", "import registrants.consent"),
    ("Inside newsletter, only down", "newsletter/links.py", "import newsletter.delivery"),
    ("Inside tracking, only down", "tracking/intake/hits.py", "import tracking.events"),
    ("Inside local, only down", "local/ports.py", "import local.up"),
    ("Inside config, only down", "config/environment.py", "import config.settings"),
    ("No circles among siblings", "registrants/addresses.py", "import registrants.suppression"),
    (
        "Tasks, views and admin are nobody's to import from outside",
        "tracking/unsubscribes.py",
        "import newsletter.tasks",
    ),
    (
        "One package puts mail on the wire",
        "newsletter/delivery/staging.py",
        "import newsletter.transports",
    ),
]


@pytest.mark.parametrize(("contract", "file", "line"), BREACHES)
def test_a_contract_broken_on_purpose_fails(
    copy: Path, contract: str, file: str, line: str
) -> None:
    path = copy / file
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        done = lint(copy)
    finally:
        path.write_text(before)
    assert done.returncode == 1
    assert f"{contract} BROKEN" in done.stdout


def test_a_file_without_a_floor_fails(copy: Path) -> None:
    path = copy / "registrants" / "somewhere.py"
    path.write_text('"""A new room."""\n')
    try:
        done = lint(copy)
    finally:
        path.unlink()
    assert "Inside registrants, only down BROKEN" in done.stdout


def test_every_contract_has_been_broken_once() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = {contract["name"] for contract in pyproject["tool"]["importlinter"]["contracts"]}
    assert names == {contract for contract, _, _ in BREACHES}


def test_no_package_stands_beside_the_floors() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {*FLOORS, *BESIDE}


def floor(name: str) -> int:
    return FLOORS.index(name.split(".")[0])


def test_no_foreign_key_points_up() -> None:
    for app in OURS:
        for model in app.get_models():
            for field in model._meta.get_fields():
                if isinstance(field, models.ForeignKey):
                    target = field.related_model._meta.app_label
                    if target in FLOORS:
                        assert floor(target) <= floor(app.name), f"{model} → {target}"


def test_no_migration_depends_upward() -> None:
    for (app, _), migration in MigrationLoader(None).disk_migrations.items():
        if app in FLOORS:
            for target, _ in migration.dependencies:
                assert target not in FLOORS or floor(target) <= floor(app)


def test_no_string_names_a_task_or_module_above_save_the_nudge() -> None:
    for package in FLOORS[:5]:
        above = tuple(f"{name}." for name in FLOORS if floor(name) > floor(package))
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    assert not (node.value.startswith(above) and " " not in node.value), (
                        f"{path}:{node.lineno} names {node.value}"
                    )
    named = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "newsletter").rglob("*.py")
        if "newsletter.tasks." in path.read_text() and path.name != "tasks.py"
    ]
    assert named == ["newsletter/letters.py"]


def test_every_module_opens_with_a_sentence() -> None:
    for package in FLOORS:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            sentence = ast.get_docstring(ast.parse(path.read_text()))
            assert sentence, f"{path} says nothing"


def test_no_file_has_grown_past_its_sentence() -> None:
    for package in FLOORS:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                assert len(path.read_text().splitlines()) <= 300, path


@pytest.mark.parametrize("word", ["subscriber", "contacts"])
def test_the_words_have_no_synonyms(word: str) -> None:
    for package in FLOORS[:5]:
        for path in (ROOT / package).rglob("*.py"):
            names = {
                getattr(node, "id", None) or getattr(node, "name", None) or ""
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Name | ast.FunctionDef | ast.ClassDef)
            }
            assert not any(word in str(name).lower() for name in names), path


def modules(folders: list[str]) -> Iterator[tuple[str, ast.Module]]:
    """Yield every module by its path; migrations are history and stay aside."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def doubled(places: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: paths for name, paths in places.items() if len(set(paths)) > 1}


def test_no_public_class_name_stands_twice() -> None:
    """A proxy may be called what the model is called in its own app."""
    proxies = {
        (f"{model.__module__.replace('.', '/')}.py", model.__name__)
        for app in OURS
        for model in app.get_models()
        if model._meta.proxy
    }
    places = defaultdict(list)
    for path, tree in modules(FLOORS):
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and (path, node.name) not in proxies:
                places[node.name].append(path)
    assert {name: paths for name, paths in doubled(places).items() if name[0] != "_"} == {}


def constants(tree: ast.Module) -> Iterator[str]:
    """Yield the public constants a module sets; taking another module's (x.NAME) sets none."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            theirs = node.value.attr if isinstance(node.value, ast.Attribute) else None
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name in (part.id for part in ast.walk(target) if isinstance(part, ast.Name)):
                    if name.isupper() and name[0] != "_" and name != theirs:
                        yield name


def test_no_constants_name_has_two_meanings() -> None:
    places = defaultdict(list)
    for path, tree in modules(FLOORS):
        for name in constants(tree):
            places[name].append(path)
    assert doubled(places) == {}


SAY_NOTHING = {"found", "each", "words", "said", "held", "told"}


def variables(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and name of every variable and argument; fields of a class are neither."""
    fields = {
        target
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for line in node.body
        if isinstance(line, ast.Assign | ast.AnnAssign)
        for target in (line.targets if isinstance(line, ast.Assign) else [line.target])
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in fields:
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.lineno, node.name


@pytest.mark.parametrize("folder", [*FLOORS, *sorted(BESIDE)])
def test_every_variable_says_what_it_holds(folder: str) -> None:
    silent = [
        f"{path}:{line} {name}"
        for path, tree in modules([folder])
        for line, name in variables(tree)
        if name in SAY_NOTHING
    ]
    assert silent == []


ANY_MOST, IGNORES_MOST = 120, 9
"""How often the packages may say Any, and all files may have the type checker look away."""


def test_types_are_said_and_the_checker_seldom_looks_away() -> None:
    word, ignore = re.compile(r"\bAny\b"), re.compile("# " + "type: ignore")
    anys = ignores = 0
    for path in ROOT.rglob("*.py"):
        place = path.relative_to(ROOT).parts
        if place[0].startswith((".", "var", "build")):
            continue
        lines = path.read_text().splitlines()
        ignores += sum(bool(ignore.search(line)) for line in lines)
        if place[0] != "tests" and "migrations" not in place:
            code = (line for line in lines if "import" not in line)
            anys += sum(len(word.findall(line)) for line in code)
    assert anys <= ANY_MOST
    assert ignores <= IGNORES_MOST
