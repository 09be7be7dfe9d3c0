"""Markdown and HTML made into clean HTML, Liquid tags swapped for words throughout."""

import re
from typing import Final

import css_inline
import nh3
from markdown_it import MarkdownIt

from newsletter.content import allowed_markup
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
_INLINER: Final = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
_BODY_INLINER: Final = css_inline.CSSInliner(load_remote_stylesheets=False)

_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK_ELEMENT: Final = re.compile(r"<link\b[^>]*>", re.IGNORECASE)


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
