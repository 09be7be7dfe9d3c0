"""Liquid held to what a mail needs: what values grow to and what rendering costs, in process (S-5).

python-liquid bounds loops, variables and output; ranges, filters and comparisons it does not. What
a filter would make is reckoned before it is made, where it can be much.
"""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final, TextIO, cast

from liquid.ast import Node
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.context import RenderContext
from liquid.exceptions import FilterArgumentError, LiquidError, ResourceLimitError
from liquid.template import BoundTemplate
from liquid.token import Token

PASSES: Final = 2_000
"""Passes of a loop, those of loops around it included; numbers of a range; entries of a list."""
CHARACTERS: Final = 100_000
"""Characters of one value, all it holds included."""
KEPT_CHARACTERS: Final = 200_000
KEPT_NAMES: Final = 200
"""What {% assign %} and {% capture %} may keep at one time."""
LARGEST_NUMBER: Final = 10**15
"""Beyond it a number is a mistake, and only makes work."""
WORK: Final = 2_000_000
"""What one rendering may cost in all: characters made by filters, and for each step the next."""
STEP: Final = 20
_LONGEST_FORMAT: Final = 100
_HARMLESS: Final = frozenset({"default", "size", "first", "last", "escape"}) | {
    "_whole_url", "_in_url"
}  # fmt: skip
"""Filters that never fail and make little of much, or what is bounded where it is written."""
_ENTRY: Final = 16  # what an entry of a list weighs beside its characters


class Work:
    """What one rendering has left to spend; nodes rendered one by one share it."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = WORK

    def spend(self, cost: int) -> None:
        """Take a cost off; raises ResourceLimitError when all is spent."""
        self.left -= cost
        if self.left < 0:
            message = "this takes too much work: too many steps or characters in all"
            raise ResourceLimitError(message, token=None)


class CountedContext(RenderContext):
    """A context that counts what its template costs."""

    __slots__ = ("kept", "weights", "work")

    def __init__(
        self,
        template: BoundTemplate,
        *,
        globals: Mapping[str, object] | None = None,
        work: Work | None = None,
    ) -> None:
        super().__init__(template, globals=globals)
        self.work = work or Work()
        self.kept: dict[str, int] = {}
        self.weights: list[int] = []

    def assign(self, key: str, val: object) -> None:
        """Keep a value under a name, if all that is kept stays within its limits."""
        self.kept[key] = weight(val)
        self.work.spend(STEP + self.kept[key])
        self.locals[key] = val
        if len(self.kept) > KEPT_NAMES:
            raise ResourceLimitError(f"more than {KEPT_NAMES} variables are assigned", token=None)
        if sum(self.kept.values()) > KEPT_CHARACTERS:
            message = f"variables hold more than {KEPT_CHARACTERS:,} characters"
            raise ResourceLimitError(message, token=None)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        """Return a filter that counts what it makes and fails as Liquid fails."""
        function = super().filter(name, token)
        return function if name in _HARMLESS else partial(_held, self, name, function)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Raise where loops in loops pass too often, and count what the passes cost."""
        passes = math.prod((loop.length for loop in self.loops), start=length)
        if passes > PASSES:
            message = f"a loop of {passes:,} passes; {PASSES:,} are allowed"
            raise ResourceLimitError(message, token=None)
        self.work.spend(length * STEP * (self.weights[-1] if self.weights else 1))


class CountedTemplate(BoundTemplate):
    """A template whose renderings are counted."""

    context_class = CountedContext


class _CountedFor(ForNode):
    __slots__ = ("weight",)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        assert isinstance(context, CountedContext)
        weights = context.weights
        if not hasattr(self, "weight"):
            self.weight = _nodes(self)
        weights.append(self.weight)
        try:
            return super().render_to_output(context, buffer)
        finally:
            weights.pop()


class CountedForTag(ForTag):
    """{% for %}, whose passes cost as much as there is in them."""

    node_class = cast(type[ForNode], _CountedFor)


def children(node: Node) -> list[Node]:
    """Return what stands in a node; only other files, which no mail has, ask for a context."""
    return list(node.children(cast(RenderContext, None)))


def _nodes(node: Node) -> int:
    return 1 + sum(_nodes(child) for child in children(node))


def weight(value: object) -> int:
    """Return what a value holds, in characters; raises ResourceLimitError if it is too much."""
    total = _weight(value, CHARACTERS)
    if total > CHARACTERS:
        raise ResourceLimitError(f"a value of more than {CHARACTERS:,} characters", token=None)
    return total


def _weight(value: object, most: int) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, (list, tuple, Mapping)):
        if len(value) > PASSES:
            raise ResourceLimitError(f"a list of more than {PASSES:,} entries", token=None)
        total = 0
        for entry in value.values() if isinstance(value, Mapping) else value:
            total += _ENTRY + _weight(entry, most - total)
            if total > most:
                break
        return total
    return _ENTRY


def _held(
    context: CountedContext,
    name: str,
    function: Callable[..., object],
    left: object,
    *args: object,
    **options: object,
) -> object:
    """Apply a filter; raises LiquidError alone, whatever it is given."""
    unknown = context.env.undefined(name)
    left, args = (
        (unknown if left is None else left),
        tuple(unknown if argument is None else argument for argument in args),
    )
    try:
        cost = _cost(name, left, args)
        context.work.spend(STEP + cost)
        result = function(left, *args, **options)
        if isinstance(result, (int, float, Decimal)) and not isinstance(result, bool):
            return _number(result)
        context.work.spend(weight(result))
    except LiquidError as error:
        if not str(error.message).startswith(name):
            message = f"{name}: {error.message}"
            raise FilterArgumentError(message, token=error.token) from None
        raise
    except (ArithmeticError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise FilterArgumentError(f"{name}: {_reason(error)}", token=None) from None
    return result


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "what comes out is no text"
    if isinstance(error, ArithmeticError):
        return "a number too large, or no number"
    return "this value does not fit"


def _number(value: int | float | Decimal) -> int | float | Decimal:
    if not abs(float(value)) <= LARGEST_NUMBER:  # NaN is not either
        raise ResourceLimitError("a number too large", token=None)
    return value


def _cost(name: str, left: object, args: tuple[object, ...]) -> int:
    """Return what a filter will cost beside its result; raises where the result would be much."""
    entered = weight(left) + sum(map(weight, args))
    text = left if isinstance(left, str) else ""
    expected = 0
    if name == "join" and isinstance(left, (list, tuple, range)):
        expected = entered + len(left) * len(_text(args, 0, " "))
    elif name in ("replace", "remove") and args:
        text = str(left)
        sought = _text(args, 0, "")
        expected = len(text) + text.count(sought) * len(_text(args, 1, ""))
    elif name == "split" and args:
        sought = _text(args, 0, "")
        entries = text.count(sought) if sought else len(text)
        if entries > PASSES:
            raise ResourceLimitError(f"a list of more than {PASSES:,} entries", token=None)
    elif name == "uniq" and isinstance(left, (list, tuple)):
        return entered + len(left) ** 2 // STEP
    elif name == "date" and max(len(_text(args, 0, "")), len(text)) > _LONGEST_FORMAT:
        raise ResourceLimitError(f"more than {_LONGEST_FORMAT} characters", token=None)
    if expected > CHARACTERS:
        raise ResourceLimitError(f"a value of more than {CHARACTERS:,} characters", token=None)
    return entered


def _text(args: tuple[object, ...], index: int, otherwise: str) -> str:
    if index >= len(args):
        return otherwise
    return str(args[index])
