"""What of an author's Liquid would fail once it is rendered, found before anybody is mailed."""

from collections.abc import Iterator, Mapping
from typing import Final

from liquid.ast import Node
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate

from newsletter.content import personalising
from newsletter.content.errors import SourceError
from newsletter.content.liquid_limits import CountedContext, children

_VALUES: Final[tuple[object, ...]] = ("Ada", 7, "7", True, ["a", "b"])
"""What may be known of somebody, one kind each."""


class _Known(Mapping[str, object]):
    """Something of which everything is known, and is the same."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __getitem__(self, key: str) -> object:
        return self.value

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


class _Names(Mapping[str, object]):
    """Everything a template may name: what is the same for all, and one value for all else."""

    def __init__(self, constants: Mapping[str, object], person: object, other: object) -> None:
        self.named = {**constants, "registrant": person, "letter": person, "forloop": _Known(1)}
        self.other = other

    def __getitem__(self, key: str) -> object:
        return self.named.get(key, self.other)

    def __iter__(self) -> Iterator[str]:
        return iter(self.named)

    def __len__(self) -> int:
        return len(self.named)


def faults(field: str, source: str, constants: Mapping[str, object]) -> list[SourceError]:
    """Return what fails whoever the mail is for, and what fails for those of whom nothing is known.

    The source must be free of faults of syntax. A branch nobody here takes is looked at too.
    """
    template = personalising.parse(source, field=field)
    nobody: dict[str, object] = {**constants, "registrant": {}, "letter": {}}
    errors = list(_always(template, constants)) or [
        error
        for error in (_rendering(template, nobody), _for_anybody(template, constants))
        if error is not None
    ]
    listed = [personalising.fault_of(error, field=field, source=source) for error in errors]
    return list(dict.fromkeys(listed))


def _for_anybody(template: BoundTemplate, constants: Mapping[str, object]) -> LiquidError | None:
    """Return the error a mail ends with for people with values, whatever kind they are of."""
    first = None
    for value in _VALUES:
        known = _Known(value)
        error = _rendering(template, {**constants, "registrant": known, "letter": known})
        if error is None:
            return None
        first = first or error
    return first


def _rendering(template: BoundTemplate, names: Mapping[str, object]) -> LiquidError | None:
    try:
        template.render(names)
    except LiquidError as error:
        return error
    except Exception as error:  # told as Liquid's own are, at the tag that was being rendered
        return _as_liquid(error)
    return None


def _always(template: BoundTemplate, constants: Mapping[str, object]) -> Iterator[LiquidError]:
    """Yield the error of each expression that fails whatever stands in its variables."""
    worlds = [_Names(constants, {}, None)]
    for value in _VALUES:
        known = _Known(value)
        worlds += [_Names(constants, known, value), _Names(constants, known, known)]
    nodes: list[Node] = list(reversed(template.nodes))
    while nodes:
        node = nodes.pop()
        nodes += reversed(children(node))
        for expression in node.expressions():
            first: LiquidError | None = None
            for names in worlds:
                try:
                    expression.evaluate(CountedContext(template, globals=names))
                    break
                except LiquidError as error:
                    first = first or error
                except Exception as error:
                    first = first or _as_liquid(error)
            else:
                if first is not None:
                    yield first


def _as_liquid(error: Exception) -> LiquidError:
    made = LiquidError("this cannot be worked out", token=None)
    made.__cause__ = error
    return made
