"""Liquid that decides about rows of a Markdown table or items of a list: kept inside of them.

A deciding tag alone on its line would end a table or a list. Where its pair stands among rows, or
among items, it becomes a row or an item of its own while Markdown is read, and is freed after.
"""

import re
from dataclasses import dataclass
from typing import Final

from newsletter.content.liquid_tags import Tags

_NAME: Final = re.compile(r"\{%-?\s*(\w+)")
_ENDS: Final = {"endfor": "for", "endif": "if", "endunless": "unless", "endcase": "case"}
_BETWEEN: Final = frozenset({"else", "elsif", "when"})
_DELIMITERS: Final = frozenset("|:- \t")
_ITEM: Final = re.compile(r"(\s*)(?:[-*+]|\d{1,9}[.)])\s+")


@dataclass
class _Pair:
    """An opening tag, what stands between, and its end, by number of line."""

    name: str
    lines: list[int]


def with_tags_inside(source: str, tags: Tags) -> tuple[str, list[str]]:
    """Return Markdown whose tags stand apart, or as rows and items; and the words of the latter."""
    lines = source.splitlines()
    alone = {number: name for number, line in enumerate(lines) if (name := _decides(line, tags))}
    inside: dict[int, str] = {}
    rows = _rows(lines, alone)
    for pair in _pairs(alone):
        in_table = rows.issuperset(range(pair.lines[0], pair.lines[-1] + 1))
        prefix = "| " if in_table else _item_of(lines, alone, pair)
        inside |= {number: prefix + lines[number].strip() for number in pair.lines if prefix}
    made: list[str] = []
    for number, line in enumerate(lines):
        if number in inside:
            made.append(inside[number])
        elif number in alone:
            made += ["", line.strip(), ""]
        elif line.strip() or not _is_within(number, inside, alone):
            made.append(line)
    return "\n".join(made), [lines[number].strip() for number in inside]


def _is_within(number: int, inside: dict[int, str], alone: dict[int, str]) -> bool:
    """Tell whether a blank line follows what opens a pair, or stands before what ends one."""
    follows = number - 1 in inside and alone[number - 1] not in _ENDS
    return follows or (number + 1 in inside and alone[number + 1] not in _ENDS.values())


def set_free(html: str, swapped: list[str], tags: Tags) -> str:
    """Return HTML in which each of these tags' words is no row and no item any more."""
    inside = set(swapped)

    def one(match: re.Match[str]) -> str:
        return match["word"] if match["word"] in inside else match[0]

    word = rf"(?P<word>{tags.word.pattern})"
    html = re.sub(rf"<tr>\s*<td[^>]*>{word}</td>\s*(?:<td[^>]*></td>\s*)*</tr>", one, html)
    return re.sub(rf"<li>\s*(?:<p>)?{word}(?:</p>)?\s*</li>", one, html)


def _decides(line: str, tags: Tags) -> str:
    """Return the name of the one deciding tag on a line, empty where there is more or less."""
    match = tags.word.fullmatch(line.strip())
    if match is None or tags.of(match).is_output:
        return ""
    name = _NAME.match(tags.of(match).text)
    return name[1] if name else ""


def _pairs(alone: dict[int, str]) -> list[_Pair]:
    """Return each tag with its end, the outer ones first."""
    pairs: list[_Pair] = []
    open_pairs: list[_Pair] = []
    for number, name in alone.items():
        if name in _ENDS.values():
            open_pairs.append(_Pair(name, [number]))
            pairs.append(open_pairs[-1])
        elif open_pairs and name in _BETWEEN:
            open_pairs[-1].lines.append(number)
        elif open_pairs and _ENDS.get(name) == open_pairs[-1].name:
            open_pairs.pop().lines.append(number)
    return [pair for pair in pairs if alone[pair.lines[-1]] in _ENDS]


def _rows(lines: list[str], alone: dict[int, str]) -> set[int]:
    """Return the numbers of the lines below the head of a table that may be rows of its body."""
    rows: set[int] = set()
    for number, line in enumerate(lines):
        if not number or not (number in alone or "|" in line):
            continue
        if number - 1 in rows or (number - 1 and _is_head(lines, number - 1)):
            rows.add(number)
    return rows


def _is_head(lines: list[str], number: int) -> bool:
    """Tell whether a line is what stands between a table's head and its body."""
    line = lines[number].strip()
    return "-" in line and set(line) <= _DELIMITERS and "|" in lines[number - 1]


def _item_of(lines: list[str], alone: dict[int, str], pair: _Pair) -> str:
    """Return how an item begins where a pair holds whole items of a list, else nothing."""
    first, last = pair.lines[0], pair.lines[-1]
    body = [lines[number] for number in range(first, last) if number not in alone]
    written = [line for line in body if line.strip()]
    begins = _ITEM.match(written[0]) if written else None
    if begins is None or not all(_belongs(line, begins[1]) for line in written):
        return ""
    if pair.name != "for":
        near = [line for line in (*_before(lines, first), *lines[last + 1 :][:1]) if line.strip()]
        if not any(_ITEM.match(line) for line in near):
            return ""  # it decides about the whole list
    return begins[0]


def _before(lines: list[str], first: int) -> list[str]:
    return lines[max(0, first - 1) : first]


def _belongs(line: str, indent: str) -> bool:
    """Tell whether a line is an item of this list, or goes on with one."""
    item = _ITEM.match(line)
    return len(item[1]) >= len(indent) if item else line.startswith(f"{indent}  ")
