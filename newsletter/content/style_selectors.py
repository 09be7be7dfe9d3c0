"""Selectors of style sheets: confined to one element, and told from those for readers' programs."""

from typing import Final

import tinycss2
from tinycss2.ast import Node

Nodes = list[Node]

_STRUCTURAL: Final = frozenset(
    {"first-child", "last-child", "only-child", "nth-child", "nth-last-child", "first-of-type"}
    | {"last-of-type", "nth-of-type", "only-of-type", "empty", "not", "is", "where"}
)
_OUTER: Final = frozenset({"data-ogsc", "data-ogsb"})
"""Outlook's marks of its dark mode, set on what it puts around a mail."""


def split(prelude: Nodes) -> list[Nodes]:
    """Return the selectors of a rule one by one."""
    selectors: list[Nodes] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            selectors.append([])
        elif token.type != "comment":
            selectors[-1].append(token)
    return selectors


def confined_selector(tokens: Nodes, scope: str) -> str | None:
    """Return a selector that reaches nothing outside of the scope, None where it cannot be."""
    compounds = _compounds(tokens)
    if compounds is None:
        return None
    outer = ""
    first = compounds[0][1]
    if len(compounds) > 1 and first[0].type == "[] block" and _names(first[0]) & _OUTER:
        outer = tinycss2.serialize(first) + " "
        compounds = compounds[1:]
    while compounds and _is_page(compounds[0][1]):
        rest = compounds[0][1][1:] if compounds[0][1][0].type == "ident" else []
        top = tinycss2.serialize(rest)
        compounds = compounds[1:]
        if compounds and compounds[0][0] not in (" ", ">"):
            return None
        if compounds and _is_page(compounds[0][1]):
            continue
        body = "".join(_joined(compound) for compound in compounds)
        return f"{outer}{scope}{top}{body}"
    return f"{outer}{scope} " + "".join(map(_joined, compounds)).lstrip()


def _joined(compound: tuple[str, Nodes]) -> str:
    combinator, tokens = compound
    return (" " if combinator == " " else f" {combinator} ") + tinycss2.serialize(tokens)


def _compounds(tokens: Nodes) -> list[tuple[str, Nodes]] | None:
    """Return what stands between the combinators of a selector, each with the one before it."""
    compounds: list[tuple[str, Nodes]] = []
    combinator, current = " ", list[Node]()
    for token in [*tokens, None]:
        is_sign = token is not None and token.type == "literal" and token.value in (">", "+", "~")
        if token is not None and token.type != "whitespace" and not is_sign:
            if token.type == "literal" and token.value not in (".", ":", "*"):
                return None
            if token.type == "{} block":
                return None
            current.append(token)
            continue
        if current:
            compounds.append((combinator, current))
            combinator, current = " ", []
        if is_sign:
            if combinator != " " or not compounds:
                return None
            combinator = token.value
    return compounds if compounds and combinator == " " else None


def _is_page(compound: Nodes) -> bool:
    first = compound[0]
    if first.type == "ident":
        return first.lower_value in ("html", "body")
    return (
        len(compound) > 1
        and first.type == "literal"
        and first.value == ":"
        and compound[1].type == "ident"
        and compound[1].lower_value == "root"
    )


def is_dynamic(selector: Nodes) -> bool:
    """Say whether a selector asks for what only the reader's program knows."""
    after_colon = False
    for token in selector:
        if after_colon and token.type in ("ident", "function"):
            name = token.lower_value if token.type == "ident" else token.lower_name
            if name not in _STRUCTURAL | {"root"}:
                return True
        if token.type == "[] block" and _names(token) & _OUTER:
            return True
        after_colon = token.type == "literal" and token.value == ":"
    return False


def _names(block: Node) -> set[str]:
    return {token.lower_value for token in block.content if token.type == "ident"}
