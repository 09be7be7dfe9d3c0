"""Markdown and HTML made into clean HTML, Liquid tags swapped for words throughout."""

import re
from typing import Final

import css_inline
from markdown_it import MarkdownIt

from newsletter.content import cleaning, html_tokens, markdown_lines, style_sheets
from newsletter.content.cleaning import Fragment
from newsletter.content.html_tokens import Kind
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
_INLINER: Final = css_inline.CSSInliner(
    keep_style_tags=True, keep_link_tags=True, load_remote_stylesheets=False
)


def from_markdown(source: str, tags: Tags, *, is_right_to_left: bool = False) -> str:
    """Return the HTML of a Markdown body; raw HTML in it stays text."""
    text, inside = markdown_lines.with_tags_inside(source, tags)
    html = markdown_lines.set_free(_MARKDOWN.render(text), inside, tags)
    html = re.sub(r"<p>([^<]*)</p>\n?", lambda match: _unwrapped(match, tags), html)
    style = TURNED if is_right_to_left else CONTENT_STYLE
    html = css_inline.inline_fragment(tags.as_comments(html), style)
    return cleaning.without_comments(cleaning.sanitised(html), tags)


def from_html(source: str, tags: Tags) -> Fragment:
    """Return a pasted HTML body with its styles inlined and only harmless markup left (M-14)."""
    return cleaning.cleaned(source, tags, lambda html: _with_bodies(html, tags))


def begins_page(body: str, tags: Tags) -> bool:
    """Say whether an HTML body is a page of its own: a doctype or <html> before anything else."""
    body = tags.word.sub("", body)
    for token in html_tokens.tokens(body):
        text = body[token.start : token.end].strip("\ufeff \t\r\n").lower()
        if token.kind is Kind.START or text.startswith("<!doctype"):
            return token.name == "html" or text.startswith("<!doctype")
        if text and token.kind not in (Kind.COMMENT, Kind.DECLARATION):
            return False
    return False


def inline_styles(page: str) -> str:
    """Return a whole page with its style sheets inlined; media queries stay, and win over that.

    The doctype stays as it was written: it alone decides how wide boxes are.
    """
    doctype, rest = _doctype(_with_strong_media(page))
    inlined = _INLINER.inline(rest)
    return doctype + _doctype(inlined)[1]


def with_styles(page: str, css: str) -> str:
    """Return a page with one more style sheet at the end of its head."""
    if not css:
        return page
    style = f"<style>\n{css}\n</style>"
    for token in html_tokens.tokens(page):
        if token.name == "head" and token.kind is Kind.END:
            return page[: token.start] + style + page[token.start :]
    return style + page


def _with_strong_media(page: str) -> str:
    return "".join(
        style_sheets.with_strong_media(page[token.start : token.end])
        if token.kind is Kind.RAW and token.name == "style"
        else page[token.start : token.end]
        for token in html_tokens.tokens(page)
    )


def _doctype(page: str) -> tuple[str, str]:
    """Return the doctype of a page and the page without it."""
    for token in html_tokens.tokens(page):
        text = page[token.start : token.end]
        if token.kind is Kind.DECLARATION and text[:9].lower() == "<!doctype":
            return text + "\n", page[: token.start] + page[token.end :].lstrip()
        if token.kind is Kind.START:
            break
    return "", page


def _unwrapped(match: re.Match[str], tags: Tags) -> str:
    """Return a paragraph without its <p> where nothing but deciding tags stands in it."""
    matches = list(tags.word.finditer(match[1]))
    alone = matches and not tags.word.sub("", match[1]).strip()
    if alone and not any(tags.of(word).is_output for word in matches):
        return match[1].strip() + "\n"
    return match[0]


def _with_bodies(html: str, tags: Tags) -> str:
    """Open <tbody> before tags that decide about rows, as a parser would do it after them."""
    out: list[str] = []
    since: list[str] = []  # what followed a <table>: blanks and tags of ours, and nothing else
    decided = after_table = False
    for token in html_tokens.tokens(html):
        text = html[token.start : token.end]
        is_ours = token.kind is Kind.COMMENT and tags.comment.fullmatch(text) is not None
        if after_table and (is_ours or (token.kind is Kind.TEXT and text.isspace())):
            since.append(text)
            decided = decided or is_ours
            continue
        if decided and token.kind is Kind.START and token.name == "tr":
            out.append("<tbody>")
        out += [*since, text]
        since, decided = [], False
        after_table = token.kind is Kind.START and token.name == "table"
    return "".join([*out, *since])
