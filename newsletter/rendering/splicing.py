"""A compiled Liquid source cut into text that never changes and slots filled per person."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import Any, Final

from liquid import Environment
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate

from newsletter.content import personalising
from newsletter.content.liquid_limits import CountedContext, Work

OWN_LINK_KEY: Final = "own"
"""The one key whose text is the same in both parts: letters, digits, /:.-_"""
STATEFUL: Final = frozenset({"assign", "capture", "increment", "decrement", "cycle", "ifchanged"})
_CONTINUE: Final = re.compile(r"offset\s*:\s*continue")
_OWN_KEYS: Final = frozenset({"size", "first", "last"})
_DIRTY: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search
_HARMLESS: Final = re.compile(r"[^&<>\"']*").fullmatch
_URL_FILTERS: Final = {"_whole_url": personalising.whole_url, "_in_url": personalising.in_url}


@dataclass(slots=True, kw_only=True)
class Recipient:
    """Who one mail is rendered for; every field is named where it is made (and never changed)."""

    delivery: int
    address: str
    name: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    subscription: int | None = None
    opens: bool = False
    clicks: bool = False
    extra: dict[str, Any] | None = None
    """What a letter says to its one reader."""


class Unrenderable(ValueError):
    """A mail that cannot be made for one person; the words say why, without the address."""


@dataclass(frozen=True)
class LinkSlot:
    """The address of one rewritable link, by position."""

    position: int


@dataclass(frozen=True)
class PixelSlot:
    """The place of the pixel."""


@dataclass(frozen=True)
class Fill:
    """Text that differs from person to person; slots with one key are filled once."""

    key: str
    text: Callable[[Recipient], str]


Segment = str | LinkSlot | PixelSlot | Fill


@dataclass(frozen=True)
class Values:
    """What a template may name: the same for all, and per person."""

    constants: dict[str, object]
    preferences: Callable[[Recipient], str]
    personal: Callable[[Recipient], dict[str, object]]


def globals_of(recipient: Recipient, values: Values) -> dict[str, object]:
    """Return everything an author may name for one person, as plain data."""
    registrant = {**recipient.attributes, "name": recipient.name, "address": recipient.address}
    own = values.preferences(recipient)
    return {
        **values.constants,
        "registrant": personalising.clean(registrant),
        "letter": personalising.clean(recipient.extra or {}),
        "unsubscribe_url": own,
        "preferences_url": own,
    }


def cut(source: str, *, html: bool, values: Values) -> list[Segment]:
    """Return a source as segments, neighbouring text joined."""
    environment = personalising.HTML if html else personalising.TEXT
    template = personalising.parse(source, field="mail", environment=environment)
    values = replace(values, constants=personalising.clean(values.constants))
    cutter = _Cutter(template, environment, values)
    if STATEFUL & set(template.analyze().tags) or _CONTINUE.search(source):
        return [Fill(f"whole {html} {hash(source)}", cutter.whole)]
    return _joined(cutter.segments(template.nodes))


def render_text(segments: Iterable[Segment], recipient: Recipient) -> str:
    """Return the text of a source without links of its own, as a subject is."""
    return "".join(
        segment if isinstance(segment, str) else segment.text(recipient)
        for segment in segments
        if isinstance(segment, (str, Fill))
    )


def _joined(segments: Iterable[Segment]) -> list[Segment]:
    out: list[Segment] = []
    for segment in segments:
        if isinstance(segment, str) and out and isinstance(out[-1], str):
            out[-1] += segment
        elif segment != "":
            out.append(segment)
    return out


class _Cutter:
    def __init__(self, template: BoundTemplate, environment: Environment, values: Values) -> None:
        self.template = template
        self.environment = environment
        self.values = values
        self.html = environment.autoescape
        self.still = CountedContext(template, globals=values.constants)
        self.last: tuple[Recipient | None, dict[str, object], Work] = (None, {}, Work())

    def segments(self, nodes: Iterable[Node]) -> Iterable[Segment]:
        for node in nodes:
            if isinstance(node, ContentNode):
                yield node.text
            elif isinstance(node, OutputNode):
                yield self._output(node)
            elif isinstance(node, IfNode) and self._is_decided(node):
                yield from self._branch(node)
            else:
                yield self._node(node)

    def whole(self, recipient: Recipient) -> str:
        """Render the whole source: always right, only slower."""
        try:
            names = globals_of(recipient, self.values) | self.values.personal(recipient)
            return self.template.render(names)
        except Exception as error:
            raise _unrenderable(error) from None

    def _output(self, node: OutputNode) -> Segment:
        expression = node.expression
        if self._is_constant(expression):
            try:
                return str(to_liquid_string(expression.evaluate(self.still), self.html))
            except Exception:  # told for each person, as every fault of rendering is
                return self._node(node)
        if isinstance(expression, FilteredExpression) and isinstance(expression.left, Path):
            path = expression.left.path
            if path == ["_pixel"]:
                return PixelSlot()
            if path[0] == "_link" and isinstance(path[1], int):
                return LinkSlot(path[1])
            return self._quick(expression, path) or self._node(node)
        return self._node(node)

    def _quick(self, expression: FilteredExpression, path: list[Any]) -> Fill | None:
        """Return a plain function for `registrant.x`, with `default` or an address filter."""
        get = self._getter(path)
        otherwise: object = None
        finish: Callable[[object], str] | None = None
        for used in expression.filters or []:
            if used.name in _URL_FILTERS:
                finish = _URL_FILTERS[used.name]
            elif used.name == "default" and not finish and len(used.args) == 1:
                name, value = used.args[0].evaluate(self.still)
                if name or not isinstance(value, str) or not self._is_constant(used.args[0].value):
                    return None
                otherwise = value
            elif used.name not in ("escape", "newline_to_br") or self.html or finish:
                return None
        if get is None:
            return None
        if get == self.values.preferences and not expression.filters:
            return Fill(OWN_LINK_KEY, get)
        return Fill(f"{self.html} {expression}", _filler(get, otherwise, finish, html=self.html))

    def _getter(self, path: list[Any]) -> Callable[[Recipient], Any] | None:
        match path:
            case ["unsubscribe_url" | "preferences_url"]:
                return self.values.preferences
            case ["registrant", "name"]:
                return lambda recipient: recipient.name
            case ["registrant", "address"]:
                return lambda recipient: recipient.address
            case ["registrant", str(key)] if key not in _OWN_KEYS:
                return lambda recipient: recipient.attributes.get(key)
            case ["letter", str(key)] if key not in _OWN_KEYS:
                return lambda recipient: recipient.extra.get(key) if recipient.extra else None
        return None

    def _node(self, node: Node) -> Fill:
        """Return a fill that lets Liquid render one node, limits and all."""
        measured = "_link" in str(node) or "_pixel" in str(node)

        def text(recipient: Recipient) -> str:
            names, work = self._globals(recipient)
            if measured:
                names = {**names, **self.values.personal(recipient)}
            context = CountedContext(self.template, globals=names, work=work)
            buffer: StringIO = LimitedStringIO(self.environment.output_stream_limit or 0)
            try:
                node.render(context, buffer)
                text = buffer.getvalue()
                work.spend(len(text))
            except Exception as error:
                raise _unrenderable(error) from None
            return text

        return Fill(f"node {self.html} {id(node)}", text)

    def _globals(self, recipient: Recipient) -> tuple[dict[str, object], Work]:
        """Return what a template may name and spend, for all the nodes of one person in a row."""
        last = self.last  # read once: another thread may be at another person
        if last[0] is not recipient:
            last = self.last = (recipient, globals_of(recipient, self.values), Work())
        return last[1], last[2]

    def _is_decided(self, node: IfNode) -> bool:
        conditions = [node.condition, *(other.expression for other in node.alternatives)]
        if not all(self._is_constant(condition) for condition in conditions):
            return False
        try:
            for condition in conditions:
                condition.evaluate(self.still)
        except Exception:  # told for each person, as every fault of rendering is
            return False
        return True

    def _branch(self, node: IfNode) -> Iterable[Segment]:
        options: list[tuple[Expression, BlockNode]] = [(node.condition, node.consequence)]
        options += [(other.expression, other.block) for other in node.alternatives]
        for condition, block in options:
            if condition.evaluate(self.still):
                return self._block(block)
        return self._block(node.default) if node.default else []

    def _block(self, block: BlockNode) -> Iterable[Segment]:
        return [] if block.blank else self.segments(block.nodes)

    def _is_constant(self, expression: Expression) -> bool:
        if isinstance(expression, Path):
            plain = all(isinstance(part, (str, int)) for part in expression.path)
            return plain and expression.path[0] in self.values.constants
        inner = expression.children()
        return all(self._is_constant(child) for child in inner)


def _filler(
    get: Callable[[Recipient], Any],
    otherwise: object,
    finish: Callable[[object], str] | None,
    *,
    html: bool,
) -> Callable[[Recipient], str]:
    """Return the function Liquid would be for one value: clean, default, filter, escape."""
    clean, known, stringify = personalising.clean, personalising.known, to_liquid_string

    def fill(recipient: Recipient) -> str:
        value = get(recipient)
        if type(value) is not str or _DIRTY(value):
            value = clean(value)
        value = known(value)
        if otherwise is not None and (value is None or value is False or value in ([], {})):
            value = otherwise
        if finish is not None:
            value = finish(value)
        if type(value) is str and (not html or _HARMLESS(value)):
            return value
        return str.__str__(stringify(value, html))

    return fill


def _unrenderable(error: Exception) -> Unrenderable:
    reason = error.message if isinstance(error, LiquidError) else type(error).__name__
    return Unrenderable(f"this mail cannot be made for this person: {reason}")
