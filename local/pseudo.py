"""The pseudo-language: every text bracketed, lengthened and in letters no English has."""

import re
from typing import Final

LOCALE: Final = "ar_XB"
"""CLDR's name of a made-up language that is written from right to left."""
OPEN, CLOSE = "⟦", "⟧"
UNTRANSLATED: Final = re.compile(
    r"%\(\w+\)s|%%|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>|&\w+;|\]\([^)]*\)|\s*\n\s*\n\s*", re.DOTALL
)
"""What a translation must keep: placeholders, Liquid, markup, where links lead, paragraphs."""
ACCENTED: Final = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "ÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽåƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýž",
)
ARABIC: Final = ("نص", "طويل", "جدا")
"""Words written from right to left; one is added for every ten letters."""


def made(text: str) -> str:
    """Return a text in the pseudo-language; blanks around it stay outside the brackets."""
    kept = [match[0] for match in UNTRANSLATED.finditer(text)]
    between = UNTRANSLATED.split(text)
    pieces = [between[0].translate(ACCENTED)]
    for mark, piece in zip(kept, between[1:], strict=True):
        pieces += [mark, piece.translate(ACCENTED)]
    paragraphs = re.split(r"(\s*\n\s*\n\s*)", "".join(pieces))
    return "".join(part if not part.strip() else _bracketed(part) for part in paragraphs)


def _bracketed(text: str) -> str:
    core = text.strip()
    before, after = text[: text.index(core)], text[text.index(core) + len(core) :]
    letters = len(UNTRANSLATED.sub("", core))
    more = " ".join(ARABIC[number % 3] for number in range(max(1, letters // 10)))
    return f"{before}{OPEN}{core} {more}{CLOSE}{after}"
