"""No room without a corridor: what production never uses is taken out, or its issue is named."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from tests.test_house import FLOORS, ROOT, modules

BOUNCES, RIGHTS = "bounces come back", "staff act for a person; a person's rights"
WAITS = {
    "registrants.models.consent_event.ConsentEvent.Means.COMPLAINT": BOUNCES,
    "registrants.models.consent_event.ConsentEvent.Means.BOUNCE": BOUNCES,
    "registrants.models.consent_event.ConsentEvent.Means.STAFF": RIGHTS,
    "registrants.models.subscription.Subscription.Ended.COMPLAINED": BOUNCES,
    "registrants.models.subscription.Subscription.Ended.BOUNCED": BOUNCES,
    "registrants.models.subscription.Subscription.Ended.STAFF": RIGHTS,
    "registrants.tokens.read_base32": BOUNCES,
}
"""Public names nobody in production uses yet, each with the issue that will use it."""

BY_CONVENTION = {
    "config/settings.py": "Django reads every setting",
    "config/formats/en/formats.py": "Django reads the formats of a language",
    "application": "the WSGI server's way in",
    "urlpatterns": "Django's way in",
    "app_name": "Django's namespace of addresses",
    "Command": "Django's way into a command of manage.py",
    "Meta": "Django reads it inside a model or a form",
    "Media": "Django reads it inside a page",
    "from_db_value": "Django's fields are read through it",
    "create_session": "anymail opens a provider's session through it",
    "do_GET": "http.server's way in",
    "do_POST": "http.server's way in",
}
A_TAG = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)
WRITTEN = ("Means", "Ended", "Reason")
"""Closed sets whose members are used where they are written, by their names alone."""
CLOSED = {"TextChoices", "IntegerChoices", "StrEnum", "IntEnum", "Enum"}


class Room(NamedTuple):
    """Something public: where it stands, what it is called, and between which lines it lies."""

    path: str
    name: str
    first: int
    last: int
    stored: object = None
    """What the database holds, of a member of a closed set."""

    def __str__(self) -> str:
        module = self.path.removesuffix(".py").removesuffix("/__init__")
        return f"{module.replace('/', '.')}.{self.name}"

    @property
    def short(self) -> str:
        """Return the name without the class it stands in."""
        return self.name.rpartition(".")[2]


def rooms(path: str, body: list[ast.stmt], inside: str = "") -> Iterator[Room]:
    """Yield functions, classes, constants, methods and the members of closed sets."""
    for node in body:
        end = node.end_lineno or node.lineno
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield Room(path, inside + node.name, node.lineno, end)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and not inside:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for part in (part for part in ast.walk(target) if isinstance(part, ast.Name)):
                    yield Room(path, part.id, node.lineno, end)
        if isinstance(node, ast.ClassDef):
            if {ast.unparse(base).split(".")[-1] for base in node.bases} & CLOSED:
                yield from members(path, node, f"{inside}{node.name}.")
            yield from rooms(path, node.body, f"{inside}{node.name}.")


def members(path: str, node: ast.ClassDef, inside: str) -> Iterator[Room]:
    """Yield the members of a closed set with what is stored of them."""
    for line in node.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            first = line.value.elts[0] if isinstance(line.value, ast.Tuple) else line.value
            stored = first.value if isinstance(first, ast.Constant) else ""
            end = line.end_lineno or line.lineno
            yield Room(path, inside + line.targets[0].id, line.lineno, end, stored)


def names(node: ast.AST) -> list[str]:
    """Return the names one expression uses: a name, an attribute, or a string that is one."""
    match node:
        case ast.Attribute(attr=name, value=ast.Name(id=owner) | ast.Attribute(attr=owner)):
            return [name, f"{owner}.{name}"]
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
            return [name]
        case ast.keyword(arg=str(name)):
            return [name]
        case ast.Constant(value=str(text)) if re.fullmatch(r"[\w.:-]+", text):
            return [text, *re.split(r"[.:]|__|^-", text)]
        case ast.Constant(value=str(text)) if re.search(r"\b(SELECT|UPDATE|INSERT|WHERE)\b", text):
            return re.findall(r"'(\w+)'", text)
        case _:
            return []


@cache
def uses() -> dict[str, list[tuple[str, int]]]:
    """Return name → where production uses it, by path and line; a template counts as one line."""
    places = defaultdict(list)
    for path, tree in modules(FLOORS):
        for node in ast.walk(tree):
            for name in names(node):
                places[name].append((path, getattr(node, "lineno", 0)))
    for folder in ("templates", "newsletter/layouts"):
        for file in (path for path in (ROOT / folder).rglob("*") if path.is_file()):
            for tag in A_TAG.findall(file.read_text()):
                for name in re.findall(r"\w+", tag):
                    places[name].append((file.name, 0))
    return places


def is_used(room: Room) -> bool:
    wanted = {room.short} if room.stored is None else {room.short, str(room.stored)}
    if room.name.split(".")[-2:-1] and room.name.split(".")[-2] in WRITTEN:
        wanted = {".".join(room.name.split(".")[-2:])}
    return any(
        path != room.path or not room.first <= line <= room.last
        for name in wanted
        for path, line in uses().get(name, ())
        if room.stored is None or path != room.path or name != str(room.stored)
    )


def is_convention(room: Room) -> bool:
    """Say whether a framework uses it: by its name, its decorator, or a base class of its own."""
    if room.path in BY_CONVENTION or room.short in BY_CONVENTION:
        return True
    module = importlib.import_module(room.path.removesuffix(".py").replace("/", "."))
    owner, _, name = room.name.rpartition(".")
    holder: object = module
    for part in owner.split(".") if owner else ():
        holder = getattr(holder, part)
    if isinstance(holder, type):
        theirs = [
            base
            for kin in (holder, *_below(holder))
            for base in kin.__mro__
            if base.__module__.split(".")[0] not in FLOORS
        ]
        return any(hasattr(base, name) for base in theirs) or name.startswith("clean_")
    made: object = getattr(holder, name, None)
    return isinstance(made, type) and made.__module__ == module.__name__ and _is_found(made)


def _below(holder: type) -> Iterator[type]:
    """Yield every class made of this one: a mixin's hooks are those of its pages."""
    below: list[type] = holder.__subclasses__()
    for made in below:
        yield made
        yield from _below(made)


def _is_found(made: type) -> bool:
    """Say whether Django finds a class by itself: pages by their registration, configurations."""
    return any(base.__name__ in ("BaseModelAdmin", "AppConfig") for base in made.__mro__)


def unused() -> Iterator[str]:
    """Yield every public name of the house that production does not use."""
    for path, tree in modules(FLOORS):
        decorated = {
            node.lineno
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.decorator_list
        }
        for room in rooms(path, tree.body):
            is_private = any(part.startswith("_") for part in room.name.split("."))
            if is_private or is_used(room) or is_convention(room):
                continue
            if room.first in decorated and "." not in room.name:
                continue
            yield str(room)


def test_every_public_name_is_used_in_production_or_waits_for_a_named_issue() -> None:
    nobodys = set(unused())
    assert nobodys - set(WAITS) == set(), "take them out, or name the issue that will call them"
    assert set(WAITS) - nobodys == set(), "these are used by now: strike them"
