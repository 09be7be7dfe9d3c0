"""What mrml made, mended: no third parties, roles, direction, the author's own words back."""

import re
from typing import Final, NamedTuple

NO_ICON: Final = "about:no-icon/"
"""Where mrml would fetch the icons of networks from; what has this address is taken out."""
NETWORKS: Final = {
    "github": "GitHub", "linkedin": "LinkedIn", "soundcloud": "SoundCloud", "youtube": "YouTube",
}  # fmt: skip
_DRAWN: Final = {
    "https://i.imgur.com/bIXv1bk.png": "+",
    "https://i.imgur.com/w4uTygT.png": "−",
    "https://i.imgur.com/xTh3hln.png": "‹",
    "https://i.imgur.com/os7o9kz.png": "›",
}
"""A picture mrml would load → the sign that is written instead."""
_IMAGE: Final = re.compile(r"<img\b([^<>]*)/>")
_SOURCE: Final = re.compile(r'\ssrc="([^"]*)"')
_CLASS: Final = re.compile(r'\sclass="[^"]*"')
_SIZE: Final = re.compile(r"width:(\d+)px")
_ICON: Final = re.compile(
    r"<td[^<>]*><table[^<>]*><tbody><tr><td[^<>]*>(?:<a[^<>]*>)?"
    rf"<img[^<>]*{re.escape(NO_ICON)}[^<>]*/>(?:</a>)?</td></tr></tbody></table></td>"
)
_WRAPPED_PIECE: Final = re.compile(
    r"<td><!\[endif\]--><table[^<>]*><tbody><!--([a-z]+\d+x)--></tbody></table>"
    r"<!--\[if mso \| IE\]></td>"
)
_BUTTON: Final = re.compile(
    r'(<td\b[^<>]*\sstyle="border:(\d+)px [^<>]*><(?:a|p)\b[^<>]*'
    r'\sstyle="display:inline-block;width:)(\d+)px'
)
_HERO: Final = re.compile(
    r'(<td style="([^"]*)"><!\[endif\]--><div\b[^<>]*\sclass="mj-hero-content"'
    r'[^<>]*\sstyle="[^"]*)"'
)


class Word(NamedTuple):
    """What a word stands for, and how it is put back."""

    text: str
    kind: str
    """content, piece (between elements), table, title, attribute, background or raw."""

    @property
    def quoted(self) -> str:
        """Return the text as the value of an attribute in double quotes."""
        return self.text.replace('"', "&quot;").replace("<", "&lt;")

    @property
    def written(self) -> str:
        """Return the text as it stands in the page."""
        match self.kind:
            case "attribute":
                return self.quoted
            case "background":
                return self.text.replace('"', "%22").replace("'", "%27").replace("<", "%3C")
            case "title":
                return self.text.replace('"', "&quot;")
        return self.text


def mended(html: str, direction: str) -> str:
    """Return mrml's page without third parties, with roles and direction."""
    html = _ICON.sub("", html)
    html = _IMAGE.sub(_drawn, html)
    html = _WRAPPED_PIECE.sub(r"\1", html)
    html = html.replace("@media screen, yahoo {", "@media yahoo {")
    html = _BUTTON.sub(lambda match: f"{match[1]}{int(match[3]) - 2 * int(match[2])}px", html)
    html = _HERO.sub(r'\1\2"', html)
    if direction == "rtl":
        html = html.replace("text-align:left;direction:rtl;", "text-align:right;direction:rtl;")
    return html


def with_words(html: str, seed: str, stand_ins: list[Word]) -> str:
    """Return the page with every stand-in word replaced by what it stands for.

    A piece between elements that came to stand in a comment for Outlook is lifted out of it.
    """
    tables = re.compile(rf"<table\b([^<>]*)>({seed}(\d+)x)?")
    html = tables.sub(lambda match: _with_role(match, stand_ins), html)
    parts = re.compile(
        rf"(?P<opening><!--\[if [^\]]*\]>)(?!<!-->)|(?P<closing><!\[endif\]-->)"
        rf"|(?P<bare><!--)?{seed}(?P<index>\d+)x(?(bare)-->)"
    )
    around = ""

    def one(match: re.Match[str]) -> str:
        nonlocal around
        if match["opening"]:
            around = match[0]
        elif match["closing"]:
            around = ""
        else:
            word = stand_ins[int(match["index"])]
            if around and word.kind == "piece":
                return f"<![endif]-->{word.text}{around}"
            return word.written
        return match[0]

    return parts.sub(one, html)


def with_fonts(html: str, fonts: list[tuple[str, str]]) -> str:
    """Return the page with the fonts its author named and used, and no other."""
    lower = html.lower()
    used = [href for name, href in fonts if href and name.strip(" '\"").lower() in lower]
    if not used:
        return html
    addresses = [href.replace('"', "%22").replace("<", "%3C") for href in dict.fromkeys(used)]
    links = "".join(
        f'<link href="{address}" rel="stylesheet" type="text/css">' for address in addresses
    )
    imports = "".join(f"@import url({address});" for address in addresses)
    fonts_there = (
        f'<!--[if !mso]><!-->{links}<style type="text/css">{imports}</style><!--<![endif]-->'
    )
    head, end, rest = html.partition("</title>")
    return f"{head}{end}{fonts_there}{rest}" if end else html


def _with_role(match: re.Match[str], stand_ins: list[Word]) -> str:
    """Say of a layout table that it is one; a table of the author's keeps what it is."""
    if re.search(r"\srole=", match[1]) or (match[3] and stand_ins[int(match[3])].kind == "table"):
        return match[0]
    return f'<table role="presentation"{match[1]}>{match[2] or ""}'


def _drawn(match: re.Match[str]) -> str:
    """Return a sign instead of a picture that mrml would load from a third party."""
    source = _SOURCE.search(match[1])
    sign = _DRAWN.get(source[1]) if source else None
    if sign is None:
        return match[0]
    size = int(number[1]) if (number := _SIZE.search(match[1])) else 32
    own = _CLASS.search(match[1])
    shown = "none" if "display:none" in match[1] else "block"
    return (
        f'<span aria-hidden="true"{own[0] if own else ""} style="display:{shown};width:{size}px;'
        f'font-size:{min(size, 32)}px;line-height:1;text-align:center;">{sign}</span>'
    )
