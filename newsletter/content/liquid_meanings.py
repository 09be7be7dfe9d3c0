"""What comparisons and ranges of Liquid mean here; the library's own parts are given these."""

from typing import Final

from liquid.ast import Node
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    NeExpression,
    _contains,
    _eq,
)
from liquid.builtin.expressions.primitive import Blank, Empty, RangeLiteral
from liquid.builtin.tags.case_tag import _AnyExpression
from liquid.context import RenderContext
from liquid.exceptions import ResourceLimitError
from liquid.expression import Expression
from liquid.undefined import Undefined

from newsletter.content.liquid_limits import LARGEST_NUMBER, PASSES, CountedContext, children


class _BoundedRange(RangeLiteral):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> range:
        try:
            numbers = super().evaluate(context)
        except (ArithmeticError, ValueError):
            raise ResourceLimitError("a range without an end", token=self.token) from None
        count = numbers.stop - numbers.start
        if count > PASSES or max(abs(numbers.start), abs(numbers.stop)) > LARGEST_NUMBER:
            message = f"a range of {min(count, LARGEST_NUMBER):,} numbers; {PASSES:,} are allowed"
            raise ResourceLimitError(message, token=self.token)
        return numbers


class _Same(EqExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        return _is_same(self.left.evaluate(context), self.right.evaluate(context), context)


class _Other(NeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        return not _is_same(self.left.evaluate(context), self.right.evaluate(context), context)


class _AnySame(_AnyExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> list[bool]:
        left = self.left.evaluate(context)
        return [_is_same(left, right.evaluate(context), context) for right in self.expressions]


class _Holds(ContainsExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        left, right = self.left.evaluate(context), self.right.evaluate(context)
        _count(context, left)
        try:
            return _contains(self.token, left, right)
        except TypeError:
            return False  # what cannot be looked for is not there


_MEANINGS: Final[dict[type[Expression], type[Expression]]] = {
    RangeLiteral: _BoundedRange,
    EqExpression: _Same,
    NeExpression: _Other,
    _AnyExpression: _AnySame,
    ContainsExpression: _Holds,
}


def _is_same(left: object, right: object, context: RenderContext) -> bool:
    """Compare as Liquid does, but what is unknown is blank and empty: `!= blank` leaves it out."""
    if left is None or isinstance(left, Undefined):
        return _is_unknown(right)
    if right is None or isinstance(right, Undefined):
        return _is_unknown(left)
    _count(context, left)
    return bool(_eq(left, right))


def _is_unknown(value: object) -> bool:
    return value is None or value == "" or isinstance(value, (Undefined, Blank, Empty))


def _count(context: RenderContext, value: object) -> None:
    """Count what looking through a long value costs."""
    if isinstance(value, (list, str)) and isinstance(context, CountedContext):
        context.work.spend(len(value) >> 3)


def give_meanings(parsed: list[Node]) -> None:
    """Have the expressions of parsed nodes mean what they mean here."""
    nodes = list(parsed)
    expressions: list[Expression] = []
    while nodes:
        node = nodes.pop()
        nodes += children(node)
        expressions += node.expressions()
    while expressions:
        expression = expressions.pop()
        expressions += expression.children()
        if type(expression) in _MEANINGS:
            expression.__class__ = _MEANINGS[type(expression)]
