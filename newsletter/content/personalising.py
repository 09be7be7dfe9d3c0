"""Liquid as an author may use it: limited, escaped by context, over plain data alone."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from liquid import Environment, Markup
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate
from liquid.token import Token

from newsletter.content import liquid_lexer
from newsletter.content.errors import SourceError

REMOVED_TAGS: Final = ("include", "render", "echo", "liquid", "tablerow", "doc")
REMOVED_FILTERS: Final = ("safe", "escapejs")
SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})

_BREAKS: Final = re.compile("\r\n|[\r\x85\u2028\u2029]")
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_DIRTY: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNCLOSED: Final = re.compile(r"expected tag end(\w+)")
_SCHEME: Final = re.compile(r"\s*([^/?#:]*):")
_URL_SAFE: Final = "/:?#[]@!$&'()*+,;=%~-._"


class _Limited(Environment):
    """Limits that end a runaway template in milliseconds (S-5)."""

    block_nesting_limit = 20
    context_depth_limit = 20
    loop_iteration_limit = 2_000
    local_namespace_limit = 200_000
    output_stream_limit = 400_000

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        return liquid_lexer.tokenize


def clean(value: object) -> Any:
    """Return a value without control characters, line breaks as one newline, in any depth."""
    if isinstance(value, str):
        if _DIRTY.search(value):
            return _UNSEEN.sub("", _BREAKS.sub("\n", value))
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else clean(str(value))


def whole_url(value: object) -> str:
    """Return a personal value that begins a link: one of four schemes or none, else "#" (S-6)."""
    text = _plain(value).strip()
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in SCHEMES:
        return "#"
    return quote(text, safe=_URL_SAFE, errors="replace")


def in_url(value: object) -> str:
    """Return a personal value inside a link, percent-encoded whole (S-6)."""
    return quote(_plain(value), safe="", errors="replace")


def _plain(value: object) -> str:
    if isinstance(value, Markup):
        return value.unescape()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _unchanged(value: object) -> object:
    return value


def _environment(*, html: bool) -> Environment:
    made = _Limited(autoescape=html)
    for name in REMOVED_TAGS:
        made.tags.pop(name, None)
    for name in REMOVED_FILTERS:
        made.filters.pop(name, None)
    made.add_filter("_whole_url", whole_url)
    made.add_filter("_in_url", in_url)
    if not html:
        for name in ("escape", "escape_once", "newline_to_br"):
            made.add_filter(name, _unchanged)
    return made


HTML: Final = _environment(html=True)
TEXT: Final = _environment(html=False)


def parse(source: str, *, field: str, environment: Environment = HTML) -> BoundTemplate:
    """Parse Liquid; raises LiquidError, which fault_of turns into a Fault."""
    return environment.from_string(source, name=field)


def fault_of(error: LiquidError, *, field: str, source: str) -> SourceError:
    """Return a Liquid error with its line and column, counted from 1."""
    message = str(error.message or "this cannot be read")
    index = error.token.start_index if error.token is not None else 0
    unclosed = _UNCLOSED.search(message)
    if unclosed:
        opened = list(re.finditer(rf"{{%-?\s*{unclosed[1]}\b", source))
        index = opened[-1].start() if opened else index
    return _fault_at(field, source, index, f"Liquid: {message}")


def syntax_faults(field: str, source: str) -> list[SourceError]:
    """Return the syntax error of one field, if there is one, and every reserved name in it."""
    try:
        template = parse(source, field=field)
        analysis = template.analyze()
    except LiquidError as error:
        return [fault_of(error, field=field, source=source)]
    reserved = [
        _fault_at(field, source, variable.span.index, f"{name} is a reserved name")
        for group in (analysis.variables, analysis.locals)
        for name, variables in group.items()
        if name.startswith("_")
        for variable in variables
    ]
    refused = [
        _fault_at(field, source, span.index, f"Liquid: unknown filter '{name}'")
        for name, spans in analysis.filters.items()
        if name not in HTML.filters or name.startswith("_")
        for span in spans
    ]
    return reserved + refused


def unknown(
    field: str, source: str, known: Mapping[str, Collection[str] | None]
) -> list[SourceError]:
    """Return each variable of a field that no mail of this kind has, where it stands.

    `known` maps a first name to its second names, to None where it has none.
    """
    try:
        global_variables = parse(source, field=field).analyze().globals
    except LiquidError:
        return []
    faults = [
        _fault_at(field, source, variable.span.index, f"{{{{ {variable} }}}} is not known")
        for variables in global_variables.values()
        for variable in variables
        if not _is_known(variable.segments, known)
    ]
    return sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0))


def _is_known(segments: list[Any], known: Mapping[str, Collection[str] | None]) -> bool:
    if segments[0] not in known:
        return False
    seconds = known[segments[0]]
    if seconds is None:
        return len(segments) == 1
    return len(segments) > 1 and isinstance(segments[1], str) and segments[1] in seconds


def _fault_at(field: str, source: str, index: int, message: str) -> SourceError:
    before = source[:index]
    return SourceError(field, message, before.count("\n") + 1, index - before.rfind("\n"))
