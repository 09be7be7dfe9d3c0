"""A body inside its layout: one whole HTML page, Liquid tags still swapped for words."""

import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final, assert_never

from django.utils.translation import gettext

from newsletter.content import html_tokens, markup, mjml, mjml_source
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.content.html_tokens import Kind
from newsletter.content.liquid_tags import Tags
from newsletter.content.mjml_elements import Element
from newsletter.content.mjml_source import SLOT
from newsletter.content.mjml_tags import begins_whole
from newsletter.content.refusing import refuse_active
from newsletter.content.speech import Speech, spoken
from newsletter.formats import BodyFormat, LayoutFormat

_OWN_WORDS: Final = re.compile(r'\{\{ "([^"]+)" \| t \}\}')
BUILT_IN: Final = {"campaign": "campaign", "notice": "notice", "letter": "notice"}
"""Kind of mail → the layout of the house it has."""
LAYOUTS: Final = Path(__file__).parent.parent / "layouts"


@dataclass(frozen=True)
class LayoutTexts:
    """The sources of one mail with their Liquid tags swapped out."""

    subject: str
    preheader: str
    body: str
    layout: str


def built_in(kind: str, form: str) -> str:
    """Return the layout of the house: with unsubscribe link for campaigns, plain for the rest.

    Its own words, `{{ "so written" | t }}`, are in the language spoken now.
    """
    file = f"{BUILT_IN[kind]}.{form}"
    return _OWN_WORDS.sub(lambda match: escape(gettext(match[1])), _read(file))


@cache
def _read(name: str) -> str:
    return (LAYOUTS / name).read_text()


def build(
    texts: LayoutTexts,
    tags: Tags,
    *,
    body_format: str,
    layout_format: str,
    speech: Speech,
    taken_out: list[SourceError],
) -> str:
    """Return the whole page, and note what was taken out of the body.

    Raises SourceErrors where body and layout do not fit.
    """
    page = _page(
        texts, tags, BodyFormat(body_format), LayoutFormat(layout_format), speech, taken_out
    )
    return spoken(page, speech)


def _page(
    texts: LayoutTexts,
    tags: Tags,
    body_format: BodyFormat,
    form: LayoutFormat,
    speech: Speech,
    taken_out: list[SourceError],
) -> str:
    layout = _filled(texts, tags)
    match body_format:
        case BodyFormat.MJML:
            return _mjml_body(texts.body, layout, tags, form, speech, taken_out)
        case BodyFormat.MARKDOWN:
            turned = speech.is_right_to_left
            content = markup.from_markdown(texts.body, tags, is_right_to_left=turned)
        case BodyFormat.HTML if markup.begins_page(texts.body, tags):
            refuse_active(texts.body, tags, field="body")
            return markup.inline_styles(tags.as_comments(texts.body))
        case BodyFormat.HTML:
            fragment = markup.from_html(texts.body, tags)
            taken_out += fragment.taken_out
            page = _in_layout(fragment.html, layout, tags, form, speech)
            return markup.with_styles(page, fragment.styles)
        case other:
            assert_never(other)
    return _in_layout(content, layout, tags, form, speech)


def _in_layout(content: str, layout: str, tags: Tags, form: LayoutFormat, speech: Speech) -> str:
    match form:
        case LayoutFormat.MJML:
            return _in_mjml_layout(content, layout, tags, speech)
        case LayoutFormat.HTML:
            refuse_active(layout, tags, field="layout")
            page = _placed(tags.as_comments(layout), tags, content)
            return markup.inline_styles(page)
        case other:
            assert_never(other)


def _mjml_body(
    body: str,
    layout: str,
    tags: Tags,
    form: LayoutFormat,
    speech: Speech,
    doubts: list[SourceError],
) -> str:
    refuse_active(body, tags, field="body")
    if begins_whole(body, tags):
        whole = mjml_source.read(body, tags, within="", name="body", doubts=doubts)
        return mjml.page(whole.children, tags, speech, body)
    if form != LayoutFormat.MJML:
        raise SourceErrors(
            [SourceError("body", "MJML needs an MJML layout, or a whole <mjml> of its own")]
        )
    refuse_active(layout, tags, field="layout")
    around = mjml_source.read(layout, tags, within="", name="layout")
    parent = _slot(around)
    if parent is None or parent.name not in ("mj-body", "mj-wrapper"):
        _place(layout, tags)
        message = "for an MJML body, {{ content }} must stand directly in mj-body or mj-wrapper"
        raise SourceErrors([SourceError("layout", message)])
    inside = mjml_source.read(body, tags, within=parent.name, name="body", doubts=doubts)
    _fill(around, parent, inside.children)
    return mjml.page(around.children, tags, speech, body, layout)


def _in_mjml_layout(content: str, layout: str, tags: Tags, speech: Speech) -> str:
    refuse_active(layout, tags, field="layout")
    around = mjml_source.read(layout, tags, within="", name="layout")
    parent = _slot(around)
    if parent is not None:
        place = next(child for child in parent.children if child.name == SLOT)
        _fill(around, parent, [_wrapped(place, parent.name)])
    return _placed(mjml.page(around.children, tags, speech, layout), tags, content)


def _slot(around: Element) -> Element | None:
    """Return the element in which {{ content }} stands between others; None where it does not."""
    for element in around.walk():
        if any(child.name == SLOT for child in element.children):
            return element
    return None


def _fill(around: Element, parent: Element, content: list[Element]) -> None:
    """Put elements in the place of {{ content }}; what is for the head goes there."""
    at = next(index for index, child in enumerate(parent.children) if child.name == SLOT)
    heads = [element for element in content if element.name == "mj-head"]
    parent.children[at : at + 1] = [element for element in content if element.name != "mj-head"]
    for mjml_root in (root for root in around.children if root.name == "mjml"):
        mjml_root.children += heads


def _wrapped(slot: Element, parent: str) -> Element:
    """Return {{ content }} in the elements it needs around it to be text."""
    element = Element("mj-text", content=slot.content)
    if parent in ("mj-column", "mj-hero"):
        return element
    element = Element("mj-column", children=[element])
    if parent in ("mj-section", "mj-group"):
        return element
    return Element("mj-section", children=[element])


def _filled(texts: LayoutTexts, tags: Tags) -> str:
    """Return the layout with {{ subject }} and {{ preheader }} replaced by their sources."""
    sources = {"subject": escape(texts.subject), "preheader": escape(texts.preheader)}

    def one(match: re.Match[str]) -> str:
        return sources.get(tags.of(match).expression, match[0])

    return tags.word.sub(one, texts.layout)


def _place(html: str, tags: Tags) -> tuple[int, int]:
    """Return where {{ content }} stands as content: in no comment, style, title or attribute."""
    for token in html_tokens.tokens(html):
        if token.kind in (Kind.TEXT, Kind.COMMENT):
            for match in tags.any.finditer(html, token.start, token.end):
                is_whole = token.kind is Kind.TEXT or match.span() == (token.start, token.end)
                if is_whole and tags.tags[int(match["a"] or match["b"])].expression == "content":
                    return match.span()
    raise SourceErrors([SourceError("layout", "the layout has no place for {{ content }}")])


def _placed(html: str, tags: Tags, content: str) -> str:
    start, end = _place(html, tags)
    return html[:start] + content + html[end:]
