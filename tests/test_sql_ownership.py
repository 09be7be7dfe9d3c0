"""A table is named in SQL by its own package alone, and a model is written by it alone."""

import ast
import re
from collections.abc import Iterator

import pytest
from django.apps import apps

from tests.test_house import FLOORS, OURS, modules

PACKAGES = FLOORS[:-1]
OWNERS = {
    model._meta.db_table: app.label
    for app in OURS
    for model in app.get_models()
    if not model._meta.proxy
}
MODELS = {model.__name__: app.label for app in reversed(OURS) for model in app.get_models()}
"""A proxy of a package above may be called what the model is called: the lowest one counts."""
IS_A_TABLE = re.compile(rf"\b({'|'.join(OWNERS)})\b")
IS_A_PAGE = re.compile(r"admin:\w+")
WRITES = {
    "create",
    "bulk_create",
    "get_or_create",
    "update_or_create",
    "update",
    "bulk_update",
    "delete",
}
NEWCOMERS_DATA = "local/demo.py"
"""Fills an empty database by the models of every package, and may."""


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every string a module holds but its docstrings, by line."""
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


def foreign_tables(package: str, text: str) -> list[str]:
    """Return the tables of other packages that a string names; a page's name is none."""
    if IS_A_PAGE.fullmatch(text):
        return []
    return [table for table in IS_A_TABLE.findall(text) if OWNERS[table] != package]


def manager_calls(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yield line, model and method of every call on a chain that begins with Model.objects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            start: ast.expr = node.func.value
            while isinstance(start, ast.Call | ast.Attribute):
                below = start.func if isinstance(start, ast.Call) else start.value
                if isinstance(start, ast.Attribute) and start.attr in ("objects", "scoped"):
                    if isinstance(below, ast.Name):
                        yield node.lineno, below.id, node.func.attr
                    break
                start = below


@pytest.mark.parametrize("package", PACKAGES)
def test_no_string_names_a_table_of_another_package(package: str) -> None:
    foreign = [
        f"{path}:{line} {table}"
        for path, tree in modules([package])
        for line, text in texts(tree)
        for table in foreign_tables(package, text)
    ]
    assert foreign == [], "compose a fragment of the package that owns the table"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_writes_a_model_of_another(package: str) -> None:
    foreign = [
        f"{path}:{line} {model}.{method}"
        for path, tree in modules([package])
        if path != NEWCOMERS_DATA
        for line, model, method in manager_calls(tree)
        if method in WRITES and MODELS.get(model, package) != package
    ]
    assert foreign == [], "call the package that owns the model"


def test_a_table_a_write_and_a_page_are_told_apart() -> None:
    assert foreign_tables("tracking", "SELECT 1 FROM newsletter_link") == ["newsletter_link"]
    assert foreign_tables("newsletter", "SELECT 1 FROM newsletter_link") == []
    assert foreign_tables("tracking", "admin:newsletter_delivery_change") == []
    tree = ast.parse("Link.objects.filter(pk=1).exclude(url='').update(url='x')")
    assert ("Link", "update") in [call[1:] for call in manager_calls(tree)]


def test_every_package_with_tables_is_walked() -> None:
    assert {app.label for app in apps.get_app_configs() if app.label in OWNERS.values()} <= set(
        PACKAGES
    )
