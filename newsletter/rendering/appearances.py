"""A page as mail programs show it: wide and narrow, light and dark, its style sheets applied."""

import re
from collections.abc import Iterator
from typing import Final

import css_inline
import tinycss2
from tinycss2.ast import Node

from newsletter.content import html_tokens
from newsletter.content.html_tokens import Kind
from newsletter.content.style_sheets import is_nesting, is_too_deep

WIDTHS: Final = (600, 390)
SCHEMES_SHOWN: Final = ("light", "dark")
_LENGTH: Final = re.compile(r"(min|max)-(?:device-)?width\s*:\s*(\d+(?:\.\d+)?)(px|em|rem)?")
_RANGE: Final = re.compile(r"width\s*([<>])=?\s*(\d+(?:\.\d+)?)(px|em|rem)?")
_SCHEME: Final = re.compile(r"prefers-color-scheme\s*:\s*(\w+)")
_OTHER_MEDIA: Final = re.compile(r"\b(?:print|speech|tty|tv|projection|braille|aural)\b")


def appearances(html: str) -> dict[str, str]:
    """Return a page as it looks, by how it is looked at; what looks the same is there once."""
    sheets = [
        html[token.start : token.end]
        for token in html_tokens.tokens(html)
        if token.kind is Kind.RAW and token.name == "style"
    ]
    if not any("{" in sheet for sheet in sheets) or any(map(is_too_deep, sheets)):
        return {"": html}
    parsed = [
        tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
        for sheet in sheets
    ]
    shown: dict[str, str] = {}
    for width in WIDTHS:
        for scheme in SCHEMES_SHOWN:
            css = "\n".join(rule for nodes in parsed for rule in _rules(nodes, width, scheme))
            shown.setdefault(css, f"{width} px wide, {scheme}")
    bare = _without_styles(html)
    return {name: _applied(bare, css) for css, name in shown.items()}


def _applied(html: str, css: str) -> str:
    if not css:
        return html
    return css_inline.inline(html, extra_css=css, load_remote_stylesheets=False)


def _without_styles(html: str) -> str:
    return "".join(
        html[token.start : token.end]
        for token in html_tokens.tokens(html)
        if token.kind is not Kind.RAW or token.name != "style"
    )


def _rules(nodes: list[Node], width: int, scheme: str) -> Iterator[str]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield node.serialize()
        elif is_nesting(node) and holds(tinycss2.serialize(node.prelude), width, scheme):
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            yield from _rules(inner, width, scheme)


def holds(queries: str, width: int, scheme: str) -> bool:
    """Say whether media queries hold; what they ask of a program nobody knows, holds."""
    return any(_holds(query.strip().lower(), width, scheme) for query in queries.split(","))


def _holds(query: str, width: int, scheme: str) -> bool:
    negated = query.startswith("not ")
    true = not _OTHER_MEDIA.search(query)
    for match in _LENGTH.finditer(query):
        pixels = float(match[2]) * (16 if match[3] in ("em", "rem") else 1)
        true = true and (width >= pixels if match[1] == "min" else width <= pixels)
    for match in _RANGE.finditer(query):
        pixels = float(match[2]) * (16 if match[3] in ("em", "rem") else 1)
        true = true and (width >= pixels if match[1] == ">" else width <= pixels)
    for match in _SCHEME.finditer(query):
        true = true and match[1] == scheme
    return true is not negated
