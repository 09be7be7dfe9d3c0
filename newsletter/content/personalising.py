"""Liquid as an author may use it: limited, escaped by context, over plain data alone."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from types import FrameType
from typing import Any, Final
from urllib.parse import quote

from liquid import Environment, Markup
from liquid.ast import Node
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate
from liquid.token import Token

from newsletter.content import html_tokens, liquid_lexer, liquid_limits, liquid_meanings
from newsletter.content.errors import SourceError
from newsletter.content.html_tokens import Kind
from newsletter.content.liquid_lexer import Lines

REMOVED_TAGS: Final = ("include", "render", "echo", "liquid", "tablerow", "doc")
REMOVED_FILTERS: Final = ("safe", "escapejs")
DECODING: Final = ("base64_decode", "base64_url_safe_decode", "url_decode")
SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})

_BREAKS: Final = re.compile("\r\n|[\r\x85\u2028\u2029]")
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_DIRTY: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SCHEME: Final = re.compile(r"\s*([^/?#:]*):")
_URL_SAFE: Final = "/:?#[]@!$&'()*+,;=%~-._"


class _Limited(Environment):
    """Limits that end a runaway template in milliseconds (S-5)."""

    template_class = liquid_limits.CountedTemplate
    block_nesting_limit = 20
    context_depth_limit = 20
    loop_iteration_limit = liquid_limits.PASSES
    output_stream_limit = 400_000

    def _parse(self, source: str) -> list[Node]:
        nodes = super()._parse(source)
        liquid_meanings.give_meanings(nodes)
        return nodes

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        return liquid_lexer.tokenize


def clean(value: object) -> Any:
    """Return a value without control characters, line breaks as one newline, in any depth.

    What has a name and is blank is unknown, nil in Liquid: `{% if registrant.name %}` asks for it.
    """
    if isinstance(value, str):
        if _DIRTY.search(value):
            return _UNSEEN.sub("", _BREAKS.sub("\n", value))
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): known(clean(item)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return ["" if item is None else clean(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else clean(str(value))


def known(value: object) -> object:
    """Return a clean value, or None where it is blank."""
    return None if isinstance(value, str) and (not value or value.isspace()) else value


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


def strip_html(value: object) -> str:
    """Return the text of a value that holds HTML."""
    text = _plain(value)
    return "".join(
        text[token.start : token.end]
        for token in html_tokens.tokens(text)
        if token.kind is Kind.TEXT or (token.kind is Kind.RAW and token.name == "title")
    )


def _decoded(decode: Callable[[object], object], value: object) -> object:
    return clean(decode(value))


def _unchanged(value: object) -> object:
    return value


def _environment(*, html: bool) -> Environment:
    made = _Limited(autoescape=html)
    made.add_tag(liquid_limits.CountedForTag)
    for name in REMOVED_TAGS:
        made.tags.pop(name, None)
    for name in REMOVED_FILTERS:
        made.filters.pop(name, None)
    made.add_filter("_whole_url", whole_url)
    made.add_filter("_in_url", in_url)
    made.add_filter("strip_html", strip_html)
    for name in DECODING:
        made.add_filter(name, partial(_decoded, made.filters[name]))
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
    return _fault_at(field, source, _index(error, source), f"Liquid: {message}")


def _index(error: LiquidError, source: str) -> int:
    """Return where an error is: its token, or the innermost tag that was being read or rendered.

    The library's end of file has no place, and limits have no token.
    """
    if error.token is not None and error.token.start_index >= 0:
        return error.token.start_index
    frames: list[FrameType] = []
    for raised in (error, error.__cause__):
        traceback = raised.__traceback__ if raised is not None else None
        while traceback is not None:
            frames.append(traceback.tb_frame)
            traceback = traceback.tb_next
    for frame in reversed(frames):
        for token in (frame.f_locals.get("token"), getattr(frame.f_locals.get("self"), "token", 0)):
            if isinstance(token, Token) and token.start_index >= 0:
                return max(0, source.rfind("{", 0, token.start_index + 1))
    return 0


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
    return SourceError(field, message, *Lines(source).of(index))
