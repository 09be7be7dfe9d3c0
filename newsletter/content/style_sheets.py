"""Style sheets of authors: what mail may keep of them, confined to the element they came with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import tinycss2
from tinycss2.ast import Node

from newsletter.content import web_addresses
from newsletter.content.allowed_markup import PROPERTIES
from newsletter.content.style_selectors import Nodes, confined_selector, is_dynamic, split

DEEPEST: Final = 32
"""Brackets within brackets; a parser must not run out of stack over them."""
_LOADS: Final = frozenset({"image-set", "-webkit-image-set", "src", "image", "cross-fade"})
_ACTS: Final = frozenset({"expression", "element", "-moz-element", "paint", "attr"})
_NESTING: Final = frozenset({"media", "supports"})
_REASONS: Final = {
    "import": "it loads from elsewhere",
    "font-face": "fonts belong in the layout",
    "keyframes": "hardly a mail program moves anything",
    "-webkit-keyframes": "hardly a mail program moves anything",
}


@dataclass(frozen=True)
class TakenOut:
    """What was left out of a style sheet: why, and where in it (from 1)."""

    message: str
    line: int
    column: int


@dataclass
class Sheet:
    """A style sheet confined to one element: what is inlined, what stays a sheet, what went."""

    inlined: str = ""
    kept: str = ""
    taken_out: list[TakenOut] = field(default_factory=list)


def confined(css: str, scope: str, *, inlining: bool = True) -> Sheet:
    """Return a style sheet whose rules select nothing outside of an element."""
    sheet = Sheet()
    if is_too_deep(css):
        sheet.taken_out.append(TakenOut("a style sheet with too many brackets", 1, 1))
        return sheet
    nodes = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    plain, kept = _rules(nodes, scope, sheet, inlining=inlining)
    sheet.inlined, sheet.kept = "\n".join(plain), "\n".join(kept)
    return sheet


@lru_cache(maxsize=2_000)
def cleaned(style: str) -> tuple[str, tuple[str, ...]]:
    """Return what a style attribute may keep, and what was taken out of it."""
    if is_too_deep(style):
        return "", ("a style with too many brackets",)
    taken_out: list[TakenOut] = []
    nodes = tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True)
    kept = _declarations(nodes, taken_out)
    if not taken_out:
        return style, ()
    return ";".join(kept), tuple(taken.message for taken in taken_out)


def with_strong_media(css: str) -> str:
    """Return a style sheet whose media queries win over what is inlined from it."""
    if "@" not in css or is_too_deep(css):
        return css
    nodes = tinycss2.parse_stylesheet(css)
    return "".join(
        _strong(node) if is_nesting(node) else node.serialize()
        for node in nodes
        if node.type != "error"
    )


def _strong(rule: Node) -> str:
    inner = []
    for node in tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True):
        if is_nesting(node):
            inner.append(_strong(node))
        elif node.type == "qualified-rule":
            body = "; ".join(
                _written(declaration, strong=True)
                for declaration in tinycss2.parse_declaration_list(
                    node.content, skip_comments=True, skip_whitespace=True
                )
                if declaration.type == "declaration"
            )
            inner.append(f"{tinycss2.serialize(node.prelude).strip()} {{ {body} }}")
        elif node.type == "at-rule":
            inner.append(node.serialize())
    head = f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude).rstrip()}"
    return f"{head} {{\n" + "\n".join(inner) + "\n}"


def is_nesting(node: Node) -> bool:
    """Say whether a rule holds rules of its own under a condition."""
    return node.type == "at-rule" and node.lower_at_keyword in _NESTING and node.content is not None


def _rules(
    nodes: Nodes, scope: str, sheet: Sheet, *, inlining: bool
) -> tuple[list[str], list[str]]:
    plain: list[str] = []
    kept: list[str] = []
    for node in nodes:
        if node.type == "qualified-rule":
            _rule(node, scope, sheet, plain if inlining else None, kept)
        elif is_nesting(node):
            content = tinycss2.parse_rule_list(
                node.content, skip_comments=True, skip_whitespace=True
            )
            _, inner = _rules(content, scope, sheet, inlining=False)
            head = f"@{node.lower_at_keyword} {tinycss2.serialize(node.prelude).strip()}"
            if inner and not _breaks_out(head):
                kept.append(f"{head} {{\n" + "\n".join(inner) + "\n}")
        elif node.type == "at-rule" and node.lower_at_keyword != "charset":
            reason = _REASONS.get(node.lower_at_keyword, "mail programs do not know it")
            _take(sheet.taken_out, node, f"@{node.at_keyword} in a style: {reason}")
        elif node.type == "error":
            _take(sheet.taken_out, node, "a rule in a style that cannot be read")
    return plain, kept


def _rule(node: Node, scope: str, sheet: Sheet, plain: list[str] | None, kept: list[str]) -> None:
    nodes = tinycss2.parse_declaration_list(node.content, skip_comments=True, skip_whitespace=True)
    weak = "; ".join(_declarations(nodes, sheet.taken_out))
    strong = "; ".join(_declarations(nodes, [], strong=True))
    if not weak:
        return
    for selector in split(node.prelude):
        text = confined_selector(selector, scope)
        if text is None or _breaks_out(text) or _breaks_out(strong):
            written = tinycss2.serialize(selector).strip()[:60]
            _take(sheet.taken_out, node, f"the rule for {written}: it selects outside of the body")
        elif plain is not None and not is_dynamic(selector):
            plain.append(f"{text} {{ {weak} }}")
        else:
            kept.append(f"{text} {{ {strong} }}")


def _declarations(nodes: Nodes, taken_out: list[TakenOut], *, strong: bool = False) -> list[str]:
    kept = []
    for node in nodes:
        if node.type == "declaration":
            reason = _fault(node)
            if reason is None:
                kept.append(_written(node, strong=strong))
            else:
                _take(taken_out, node, reason)
        elif node.type in ("at-rule", "qualified-rule"):
            _take(taken_out, node, "a rule within a rule of a style: mail programs do not know it")
        elif node.type == "error" and node.kind not in ("empty",):
            _take(taken_out, node, "a part of a style that cannot be read")
    return kept


def _fault(declaration: Node) -> str | None:
    """Say why a declaration is not kept; None where it is."""
    name = declaration.lower_name
    if name not in PROPERTIES and not name.startswith("mso-"):
        reason = "it could cover or move what is not its own" if name == "position" else ""
        return f"{name} in a style" + (f": {reason}" if reason else ": not for mail")
    for token in _all(declaration.value):
        if token.type == "function" and token.lower_name in _ACTS | _LOADS:
            return f"{token.lower_name}() in a style: it acts or loads by itself"
        if token.type in ("comment", "error"):
            return f"{name} in a style, with what cannot be read"
        address = _address(token)
        if address is not None and not _may_load(address):
            return f"the address {address[:60]} in a style: pictures are loaded by http and https"
    if "javascript:" in (text := tinycss2.serialize(declaration.value).lower()) or "<" in text:
        return f"{name} in a style with what could act"
    return None


def _address(token: Node) -> str | None:
    if token.type == "url":
        return str(token.value)
    if token.type == "function" and token.lower_name == "url":
        return "".join(part.value for part in token.arguments if part.type == "string")
    return None


def _may_load(address: str) -> bool:
    return web_addresses.scheme(address) in ("http", "https", "")


def _all(nodes: Nodes) -> Iterator[Node]:
    for node in nodes:
        yield node
        inner = getattr(node, "arguments", None) or getattr(node, "content", None)
        if isinstance(inner, list):
            yield from _all(inner)


def _written(declaration: Node, *, strong: bool = False) -> str:
    mark = " !important" if strong or declaration.important else ""
    return f"{declaration.name}: {tinycss2.serialize(declaration.value).strip()}{mark}"


def _breaks_out(text: str) -> bool:
    return "</" in text or "<!" in text or "]]>" in text


def _take(taken_out: list[TakenOut], node: Node, message: str) -> None:
    taken_out.append(TakenOut(message, node.source_line, node.source_column))


def is_too_deep(css: str) -> bool:
    """Say whether brackets stand deeper in one another than a parser should be asked to go."""
    depth = 0
    for match in re.finditer(r"[({\[]|[)}\]]", css):
        depth = depth + 1 if match[0] in "({[" else max(0, depth - 1)
        if depth > DEEPEST:
            return True
    return False
