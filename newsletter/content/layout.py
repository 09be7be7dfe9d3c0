"""A body inside its layout: one whole HTML page, Liquid tags still swapped for words."""

import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final, assert_never

from django.utils.translation import gettext

from newsletter.content import markup, mjml
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.content.liquid_tags import Tags, each_tag
from newsletter.formats import BodyFormat, LayoutFormat

_OWN_WORDS: Final = re.compile(r'\{\{ "([^"]+)" \| t \}\}')
BUILT_IN: Final = {"campaign": "campaign", "notice": "notice", "letter": "notice"}
"""Kind of mail → the layout of the house it has."""
LAYOUTS: Final = Path(__file__).parent.parent / "layouts"
_FORBIDDEN: Final = re.compile(
    r"<\s*(script|iframe|object|embed|form|base|link|applet|input|button|frame|frameset)\b", re.I
)
_HANDLER: Final = re.compile(r"[\s\"'/]on[a-z]+\s*=", re.I)
_REFRESH: Final = re.compile(r"<meta\b[^>]*http-equiv\s*=\s*[\"']?refresh", re.I)
_INSIDE: Final = re.compile(
    r"<(mj-text|mj-raw|mj-table|mj-button)\b[^>]*(?<!/)>(?:(?!</\1>).)*\Z", re.DOTALL
)
_WHOLE: Final = re.compile(r"\s*(<\?xml.*?\?>)?\s*(<!--.*?-->\s*)*<mjml\b", re.DOTALL)
_WRAPPED: Final = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"


@dataclass(frozen=True)
class LayoutTexts:
    """The sources of one mail with their Liquid tags swapped out."""

    subject: str
    preheader: str
    body: str
    layout: str


def built_in(kind: str, form: str, *, is_right_to_left: bool = False) -> str:
    """Return the layout of the house: with unsubscribe link for campaigns, plain for the rest.

    Its own words, `{{ "so written" | t }}`, are in the language spoken now; MJML, which writes
    a direction of its own into every part, is turned.
    """
    file = f"{BUILT_IN[kind]}.{form}"
    layout = _OWN_WORDS.sub(lambda match: escape(gettext(match[1])), _read(file))
    if is_right_to_left:
        layout = layout.replace('direction="ltr"', 'direction="rtl"')
        layout = layout.replace('align="left"', 'align="right"')
    return layout


@cache
def _read(name: str) -> str:
    return (LAYOUTS / name).read_text()


def build(
    texts: LayoutTexts,
    tags: Tags,
    *,
    body_format: str,
    layout_format: str,
    is_right_to_left: bool = False,
) -> str:
    """Return the whole page; raises SourceErrors where body and layout do not fit."""
    layout, form = _filled(texts, tags), LayoutFormat(layout_format)
    match BodyFormat(body_format):
        case BodyFormat.MJML:
            return _mjml_body(texts.body, layout, tags, form)
        case BodyFormat.MARKDOWN:
            content = markup.from_markdown(texts.body, tags, is_right_to_left=is_right_to_left)
        case BodyFormat.HTML:
            content = markup.from_html(texts.body, tags)
        case other:
            assert_never(other)
    return _in_layout(content, layout, tags, form)


def _in_layout(content: str, layout: str, tags: Tags, form: LayoutFormat) -> str:
    match form:
        case LayoutFormat.MJML:
            return _in_mjml_layout(content, layout, tags)
        case LayoutFormat.HTML:
            refuse_active(layout, field="layout")
            page = _placed(tags.as_comments(layout), tags, content)
            return markup.inline_styles(page)
        case other:
            assert_never(other)


def refuse_active(html: str, *, field: str) -> None:
    """Raise SourceErrors where HTML has anything that acts, submits or loads by itself (M-14)."""
    match = _FORBIDDEN.search(html) or _REFRESH.search(html)
    handlers: list[str] = []

    def noted(tag: str) -> str:
        if _HANDLER.search(tag):
            handlers.append(tag)
        return tag

    each_tag(html, noted)
    if match or handlers:
        index = match.start() if match else html.find(handlers[0])
        line, column = html.count("\n", 0, index) + 1, index - html.rfind("\n", 0, index)
        what = match[0] if match else handlers[0]
        raise SourceErrors(
            [SourceError(field, f"{what[:40]} is not allowed in mail", line, column)]
        )


def is_whole(body: str) -> bool:
    """Say whether an MJML body is a page of its own, which no layout surrounds."""
    return bool(_WHOLE.match(body))


def _mjml_body(body: str, layout: str, tags: Tags, form: LayoutFormat) -> str:
    refuse_active(body, field="body")
    if is_whole(body):
        return mjml.page(tags.as_comments(body), field="body")
    if form != LayoutFormat.MJML:
        raise SourceErrors(
            [SourceError("body", "MJML needs an MJML layout, or a whole <mjml> of its own")]
        )
    refuse_active(layout, field="layout")
    alone = f"<mjml><mj-body>\n{tags.as_comments(body)}\n</mj-body></mjml>"
    mjml.page(alone, field="body", lines_before=1)
    layout = tags.as_comments(layout)
    if _INSIDE.search(layout[: _place(layout, tags).start()]):
        message = "for an MJML body, {{ content }} must stand directly in mj-body or mj-wrapper"
        raise SourceErrors([SourceError("layout", message)])
    return mjml.page(_placed(layout, tags, tags.as_comments(body)), field="layout")


def _in_mjml_layout(content: str, layout: str, tags: Tags) -> str:
    refuse_active(layout, field="layout")
    layout = tags.as_comments(layout)
    place = _place(layout, tags)
    if not _INSIDE.search(layout[: place.start()]):
        wrapped = _WRAPPED.format(place[0])
        layout = layout[: place.start()] + wrapped + layout[place.end() :]
    return _placed(mjml.page(layout, field="layout"), tags, content)


def _filled(texts: LayoutTexts, tags: Tags) -> str:
    """Return the layout with {{ subject }} and {{ preheader }} replaced by their sources."""
    sources = {"subject": escape(texts.subject), "preheader": escape(texts.preheader)}

    def one(match: re.Match[str]) -> str:
        return sources.get(tags.of(match).expression, match[0])

    return tags.word.sub(one, texts.layout)


def _place(html: str, tags: Tags) -> re.Match[str]:
    for match in tags.any.finditer(html):
        if tags.tags[int(match["a"] or match["b"])].expression == "content":
            return match
    raise SourceErrors([SourceError("layout", "the layout has no place for {{ content }}")])


def _placed(html: str, tags: Tags, content: str) -> str:
    place = _place(html, tags)
    return html[: place.start()] + content + html[place.end() :]
