"""Markdown, HTML and MJML made into clean HTML, Liquid tags swapped for words throughout."""

import re
from typing import Final
from xml.parsers import expat

import css_inline
import mrml
import nh3
from markdown_it import MarkdownIt

from newsletter.content import allowed_markup
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.content.liquid_tags import Tags

CONTENT_STYLE: Final = """
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 16px; }
h2 { font-size: 21px; line-height: 1.3; margin: 28px 0 12px; }
h3, h4 { font-size: 17px; line-height: 1.4; margin: 24px 0 8px; }
p { margin: 0 0 16px; }
a { color: #1d4ed8; }
ul, ol { margin: 0 0 16px; padding: 0 0 0 24px; }
li { margin: 0 0 6px; }
img { max-width: 100%; height: auto; border: 0; }
blockquote { margin: 0 0 16px; padding: 0 0 0 16px; border-left: 3px solid #9aa3af; }
table { border-collapse: collapse; margin: 0 0 16px; }
th, td { padding: 6px 12px; border: 1px solid #9aa3af; text-align: left; }
pre { margin: 0 0 16px; white-space: pre-wrap; font-size: 15px; }
hr { border: 0; border-top: 1px solid #9aa3af; margin: 28px 0; }
"""
TURNED: Final = (
    CONTENT_STYLE.replace("0 0 0 24px", "0 24px 0 0")
    .replace("0 0 0 16px", "0 16px 0 0")
    .replace("border-left", "border-right")
    .replace("text-align: left", "text-align: right")
)
"""The same for what is written from right to left: mail programs know no logical properties."""

_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MJML: Final = mrml.RenderOptions(fonts={}, social_icon_origin="")
_INLINER: Final = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
_BODY_INLINER: Final = css_inline.CSSInliner(load_remote_stylesheets=False)

_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK_ELEMENT: Final = re.compile(r"<link\b[^>]*>", re.IGNORECASE)
_PLACE: Final = re.compile(r"position (\d+):")


def from_markdown(source: str, tags: Tags, *, is_right_to_left: bool = False) -> str:
    """Return the HTML of a Markdown body; raw HTML in it stays text."""
    lines = []
    for line in source.splitlines():
        match = tags.word.fullmatch(line.strip())
        alone = match is not None and not tags.of(match).is_output
        lines += ["", line.strip(), ""] if alone else [line]
    html = _MARKDOWN.render("\n".join(lines))
    html = re.sub(r"<p>([^<]*)</p>\n?", lambda match: _unwrapped(match, tags), html)
    style = TURNED if is_right_to_left else CONTENT_STYLE
    html = css_inline.inline_fragment(tags.as_comments(html), style)
    return _clean(html, tags)


def from_html(source: str, tags: Tags) -> str:
    """Return a pasted HTML body with its styles inlined and only harmless markup left (M-14)."""
    html = _LINK_ELEMENT.sub("", _with_bodies(tags.as_comments(source), tags))
    if re.search("<style", html, re.IGNORECASE):
        html = _BODY_INLINER.inline(html)
    return _clean(html, tags)


def from_mjml(source: str, *, field: str, lines_before: int = 0) -> str:
    """Return the HTML page of MJML that loads nothing from third parties.

    Raises SourceErrors where it is not well-formed.
    """
    try:
        return str(mrml.to_html(source, render_options=_MJML).content)
    except Exception as error:  # mrml names its errors only by their text
        raise SourceErrors([_mjml_fault(str(error), source, field, lines_before)]) from None


def inline_styles(page: str) -> str:
    """Return a whole page with its style sheets inlined, media queries kept."""
    return _INLINER.inline(page)


def _clean(html: str, tags: Tags) -> str:
    cleaned = nh3.clean(
        html,
        tags=allowed_markup.ELEMENTS,
        clean_content_tags={"script", "style", "title", "textarea", "iframe"},
        attributes=allowed_markup.ATTRIBUTES,
        strip_comments=False,
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel"},
        filter_style_properties=allowed_markup.PROPERTIES,
    )
    return _COMMENT.sub(lambda match: match[0] if tags.comment.fullmatch(match[0]) else "", cleaned)


def _unwrapped(match: re.Match[str], tags: Tags) -> str:
    """Return a paragraph without its <p> where nothing but deciding tags stands in it."""
    matches = list(tags.word.finditer(match[1]))
    alone = matches and not tags.word.sub("", match[1]).strip()
    if alone and not any(tags.of(word).is_output for word in matches):
        return match[1].strip() + "\n"
    return match[0]


def _with_bodies(html: str, tags: Tags) -> str:
    """Open <tbody> before tags that decide about rows, as a parser would do it after them."""
    rows = rf"(<table\b[^>]*>\s*)((?:{tags.comment.pattern}\s*)+<tr\b)"
    return re.sub(rows, r"\1<tbody>\2", html, flags=re.IGNORECASE)


def _mjml_fault(message: str, source: str, field: str, lines_before: int) -> SourceError:
    """Return a fault where the XML breaks, or where mrml says it stopped."""
    line, column = _where(source)
    place = _PLACE.search(message)
    if line is None and place is not None:
        index = min(int(place[1]), len(source))
        line = source.count("\n", 0, index) + 1
        column = index - source.rfind("\n", 0, index)
    within = None if line is None else max(1, line - lines_before)
    return SourceError(field, f"MJML is not well-formed: {message}", within, column)


def _where(source: str) -> tuple[int | None, int | None]:
    parser = expat.ParserCreate()
    parser.UseForeignDTD(True)  # named entities such as &nbsp; are no fault
    try:
        parser.Parse(source, True)
    except expat.ExpatError as error:
        return error.lineno, error.offset + 1
    return None, None
