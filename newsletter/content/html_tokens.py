"""HTML cut into tokens with their positions, in linear time, as a browser cuts it.

Whatever looks for something in HTML asks here, so that nothing is found that a comment, a CDATA
section, a raw text or an attribute holds. Source: HTML Standard §13.2.5.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """What a token is."""

    TEXT = "text"
    START = "start"
    END = "end"
    RAW = "raw"
    """What stands in a <style>, <title> and the like, where a < is only a <."""
    COMMENT = "comment"
    """<!-- … -->, as far as a browser takes it."""
    CDATA = "cdata"
    DECLARATION = "declaration"
    """A doctype, <? … >, <![endif]> and everything else a browser passes over."""
    UNCLOSED = "unclosed"
    """A tag that never ends: a browser drops it, and it is the last token."""


class HtmlToken(NamedTuple):
    """One token: html[start:end]; tags have their name in small letters."""

    kind: Kind
    start: int
    end: int
    name: str = ""


RAW_TEXT: Final = frozenset(
    {"style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes"}
    | {"mj-style", "mj-title", "mj-preview"}
)
_SPACE: Final = "\t\n\f\r "
_NAME: Final = re.compile(rf"</?([a-zA-Z][^{_SPACE}/>]*+)")
_CLOSING: Final = re.compile(r"--!?>")
_ATTRIBUTE: Final = re.compile(
    rf"[{_SPACE}/]*+[^{_SPACE}/>][^{_SPACE}/>=]*+"
    rf"(?P<value>[{_SPACE}]*+=[{_SPACE}]*+(?:\"[^\"]*+\"|'[^']*+'|(?![\"'])[^{_SPACE}>]*+))?+"
)
_UNCLOSED_QUOTE: Final = re.compile(rf"[{_SPACE}]*+=[{_SPACE}]*+[\"']")
_TAG_END: Final = re.compile(rf"[{_SPACE}/]*+>")
_ENDS: Final = {
    name: re.compile(rf"</{name}(?=[{_SPACE}/>])", re.IGNORECASE | re.ASCII) for name in RAW_TEXT
}
_CONDITION: Final = re.compile(r"<!--\[if[^\]]*+\]>")
_END_OF_CONDITION: Final = "<![endif]-->"


def tokens(html: str, *, xml: bool = False) -> Iterator[HtmlToken]:
    """Yield the tokens of HTML (or of MJML, as XML ends them) that together are all of it."""
    at = 0
    while at < len(html):
        begin = html.find("<", at)
        token = None
        while begin >= 0 and (token := _markup(html, begin, xml=xml)) is None:
            begin = html.find("<", begin + 1)
        if token is None:
            yield HtmlToken(Kind.TEXT, at, len(html))
            return
        if begin > at:
            yield HtmlToken(Kind.TEXT, at, begin)
        yield token
        at = token.end
        if token.kind is Kind.START and token.name in RAW_TEXT:
            end = _raw_end(html, token, xml=xml)
            if end > at:
                yield HtmlToken(Kind.RAW, at, end, token.name)
            at = end


def start_tags(html: str, name: str, *, xml: bool = False) -> Iterator[str]:
    """Yield the start tags of one name as they are written."""
    for token in tokens(html, xml=xml):
        if token.kind is Kind.START and token.name == name:
            yield html[token.start : token.end]


def conditional(comment: str) -> tuple[int, int] | None:
    """Return where the content of `<!--[if …]>…<![endif]-->` begins and ends, if it is one."""
    match = _CONDITION.match(comment)
    if match is None or not comment.endswith(_END_OF_CONDITION):
        return None
    end = len(comment) - len(_END_OF_CONDITION)
    return (match.end(), end) if end >= match.end() else None


def _markup(html: str, at: int, *, xml: bool) -> HtmlToken | None:
    """Return the token that begins at a <, or None where the < is only text."""
    if html.startswith("<!--", at):
        return HtmlToken(Kind.COMMENT, at, _comment_end(html, at, xml=xml))
    if html.startswith("<![CDATA[", at):
        return HtmlToken(Kind.CDATA, at, _after(html, "]]>" if xml else ">", at))
    if html.startswith("<?", at):
        return HtmlToken(Kind.DECLARATION, at, _after(html, "?>" if xml else ">", at))
    match = _NAME.match(html, at)
    if match is not None:
        return _tag(html, match)
    if html.startswith(("<!", "</"), at) and at + 2 < len(html):
        return HtmlToken(Kind.DECLARATION, at, _after(html, ">", at))
    return None


def _comment_end(html: str, at: int, *, xml: bool) -> int:
    if xml:
        return _after(html, "-->", at + 4)
    for abrupt in ("<!-->", "<!--->"):
        if html.startswith(abrupt, at):
            return at + len(abrupt)
    closing = _CLOSING.search(html, at + 4)
    return closing.end() if closing else len(html)


def _tag(html: str, match: re.Match[str]) -> HtmlToken:
    at = match.end()
    kind = Kind.END if html.startswith("</", match.start()) else Kind.START
    while (end := _TAG_END.match(html, at)) is None:
        attribute = _ATTRIBUTE.match(html, at)
        if attribute is None or (
            attribute["value"] is None and _UNCLOSED_QUOTE.match(html, attribute.end())
        ):
            return HtmlToken(Kind.UNCLOSED, match.start(), len(html), match[1].lower())
        at = attribute.end()
    return HtmlToken(kind, match.start(), end.end(), match[1].lower())


def _raw_end(html: str, token: HtmlToken, *, xml: bool) -> int:
    """Return where the raw text after a start tag ends: a browser reads on to the very end."""
    empty = html.endswith("/>", token.start, token.end)
    if empty and (xml or token.name.startswith("mj-")):
        return token.end
    closing = _ENDS[token.name].search(html, token.end)
    return closing.start() if closing else len(html)


def _after(html: str, closing: str, at: int) -> int:
    end = html.find(closing, at)
    return end + len(closing) if end >= 0 else len(html)
