"""From an author's source to one compiled mail: Liquid with slots, safe to freeze and to splice."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, assert_never

from django.utils.translation import gettext
from liquid.exceptions import LiquidError

from newsletter import links
from newsletter.content import (
    bounds,
    dry_runs,
    header_fields,
    link_rewriting,
    markup,
    personalising,
    plain_text,
)
from newsletter.content.compiled import Compilation, CompiledMail
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.content.layout import LayoutTexts, build, built_in
from newsletter.content.liquid_tags import Tag, Tags, markup_in_strings
from newsletter.content.mjml_tags import begins_whole
from newsletter.content.speech import Speech
from newsletter.formats import BodyFormat, LayoutFormat
from registrants import languages

__all__ = [
    "Compilation",
    "CompiledMail",
    "Source",
    "SourceError",
    "SourceErrors",
    "compilation",
    "compile_mail",
    "unknown_variables",
]

BUILT_IN_FORMAT: Final = {
    BodyFormat.MARKDOWN: LayoutFormat.HTML,
    BodyFormat.HTML: LayoutFormat.HTML,
    BodyFormat.MJML: LayoutFormat.MJML,
}
"""How a body is written → the layout of the house that fits it."""
RIGHT_TO_LEFT: Final = ("ar", "arc", "ckb", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi")
SUBJECT: Final = 255
PREHEADER: Final = 200
_BASE: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?")
_FEEDBACK: Final = re.compile(r"[!-9;-~]*(?::[!-9;-~]*){0,3}")


@dataclass(frozen=True)
class Source:
    """What an author wrote and the identity it leaves under; kind is campaign, notice or letter."""

    kind: str
    subject: str
    body: str
    client_name: str
    from_name: str
    from_address: str
    message_id_domain: str
    link_base: str
    preheader: str = ""
    body_format: str = "markdown"
    layout: str = ""
    layout_format: str = "mjml"
    postal_address: str = ""
    reply_to: str = ""
    locale: str = "en"
    list_name: str = ""
    list_id: str = ""
    feedback_id: str = ""
    bounce_domain: str = ""
    reason_line: str = ""
    attribute_names: tuple[str, ...] = ()
    letter_names: tuple[str, ...] = ()

    @property
    def texts(self) -> dict[str, str]:
        """Return the fields Liquid may stand in, by their names."""
        names = ("subject", "preheader", "body", "layout")
        return {
            name: getattr(self, name).replace("\r\n", "\n").removeprefix("\ufeff") for name in names
        }

    @property
    def is_right_to_left(self) -> bool:
        """Tell whether the mail's language is written from right to left."""
        return self.locale.lower().replace("_", "-").split("-")[0] in RIGHT_TO_LEFT

    @property
    def constants(self) -> dict[str, object]:
        """Return what a template may name that is the same for every reader of this mail."""
        made = {
            "client": {"name": self.client_name, "postal_address": self.postal_address},
            "list": {"name": self.list_name},
            "mail": {
                "locale": self.locale.replace("_", "-"),
                "direction": "rtl" if self.is_right_to_left else "ltr",
                "kind": self.kind,
            },
            "subject": self.subject,
            "preheader": self.preheader,
            "footer_reason": self.reason_line or self._reason,
        }
        cleaned: dict[str, object] = personalising.clean(made)
        return cleaned

    @property
    def _reason(self) -> str:
        if self.kind != "campaign":
            return ""
        return gettext("You get this mail because you said yes to “%(list)s” of %(client)s.") % {
            "list": self.list_name,
            "client": self.client_name,
        }


def compile_mail(source: Source) -> CompiledMail:
    """Compile a source in its own language; raises SourceErrors with everything wrong in it."""
    return compilation(source).mail


def compilation(source: Source) -> Compilation:
    """Compile a source and say what was taken out of it; raises SourceErrors."""
    with languages.speaking(source.locale):
        return _compiled(source)


def _compiled(source: Source) -> Compilation:
    formats = {"body_format": source.body_format, "layout_format": source.layout_format}
    _refuse(bounds.faults(source.texts, **formats))
    _refuse(_liquid_faults(source) + _identity_faults(source))
    texts = source.texts
    layout_format = source.layout_format
    if not texts["layout"].strip():
        layout_format = BUILT_IN_FORMAT[BodyFormat(source.body_format)]
        texts["layout"] = built_in(source.kind, layout_format)
    tags = Tags(*texts.values())
    layout_texts = LayoutTexts(
        **{name: tags.swap(text, field=name) for name, text in texts.items()}
    )
    _refuse(markup_in_strings(tags.tags))
    taken_out: list[SourceError] = []
    html = build(
        layout_texts,
        tags,
        body_format=source.body_format,
        layout_format=layout_format,
        speech=Speech(source.locale.replace("_", "-"), source.is_right_to_left),
        taken_out=taken_out,
    )
    whole = _stands_alone(source.body_format, layout_texts.body, tags)
    _refuse([tag.fault("stands where it would be lost") for tag in _lost(html, tags, whole)])
    html = link_rewriting.checked(html, tags)
    text = plain_text.from_html(html, tags)
    html, links = link_rewriting.rewritable(html, tags, base=source.link_base)
    compiled = CompiledMail(
        kind=source.kind,
        subject=source.subject,
        html=tags.into_html(link_rewriting.with_pixel(html, tags)).strip() + "\n",
        text=tags.into_text(text),
        links=links.rewritable,
        personal_links=links.personal,
        constants=source.constants,
        headers=_headers(source),
        message_id_domain=header_fields.return_domain(source.message_id_domain),
        bounce_domain=header_fields.return_domain(
            source.bounce_domain or source.from_address.rpartition("@")[2]
        ),
        link_base=source.link_base,
    )
    _refuse(bounds.too_many_links(len(compiled.links) + len(compiled.personal_links)))
    _refuse(_whole_faults(compiled))
    return Compilation(compiled, taken_out)


def unknown_variables(source: Source) -> list[SourceError]:
    """Return each variable no reader of this kind of mail has, with line and column."""
    campaign = source.kind == "campaign"
    known: dict[str, Collection[str] | None] = {
        "registrant": {"name", "address", *source.attribute_names},
        "client": {"name", "postal_address"},
    }
    if campaign:
        known |= {"list": {"name"}, "unsubscribe_url": None, "preferences_url": None}
    if source.kind == "letter":
        known |= {"letter": set(source.letter_names)}
    in_layout = {"mail": {"locale", "direction", "kind"}} | dict.fromkeys(
        ("content", "subject", "preheader", "footer_reason")
    )
    body = source.texts["body"]
    tags = Tags(body)
    alone = _stands_alone(source.body_format, tags.swap(body, field="body"), tags)
    faults: list[SourceError] = []
    for name, text in source.texts.items():
        is_page = name == "layout" or (name == "body" and alone)
        faults += personalising.unknown(name, text, known | in_layout if is_page else known)
    return faults


def _stands_alone(body_format: str, body: str, tags: Tags) -> bool:
    """Tell whether a body is a page of its own, which brings its own head and footer."""
    match BodyFormat(body_format):
        case BodyFormat.MJML:
            return begins_whole(body, tags)
        case BodyFormat.HTML:
            return markup.begins_page(body, tags)
        case BodyFormat.MARKDOWN:
            return False
        case other:
            assert_never(other)


def _refuse(faults: list[SourceError]) -> None:
    if faults:
        raise SourceErrors(faults)


def _liquid_faults(source: Source) -> list[SourceError]:
    constants = source.constants
    listed: list[SourceError] = []
    for name, text in source.texts.items():
        listed += personalising.syntax_faults(name, text) or dry_runs.faults(name, text, constants)
    return listed


def _lost(html: str, tags: Tags, whole: bool) -> list[Tag]:
    """Return the tags that vanished; a body that is a whole MJML page leaves out its layout."""
    slots = {"content", "subject", "preheader"}
    return [
        tag
        for tag in tags.missing_from(html)
        if tag.field == "body" or (tag.field == "layout" and not whole)
        if tag.expression not in slots
    ]


def _identity_faults(source: Source) -> list[SourceError]:
    checks: list[tuple[str, Any]] = [
        ("subject", lambda: header_fields.refuse_controls(source.subject, longest=SUBJECT)),
        ("preheader", lambda: header_fields.refuse_controls(source.preheader, longest=PREHEADER)),
        ("list_id", lambda: source.list_id and header_fields.list_id(source.list_id)),
    ]
    faults = []
    for name, check in checks:
        try:
            check()
        except header_fields.HeaderFieldError as error:
            faults.append(SourceError(name, str(error)))
    identity = header_fields.identity_faults(
        from_name=source.from_name,
        from_address=source.from_address,
        reply_to=source.reply_to,
        bounce_domain=source.bounce_domain,
    )
    faults += [SourceError(name, fault) for name, fault in identity.items()]
    if not source.subject.strip():
        faults.append(SourceError("subject", "is empty"))
    if source.kind == "campaign" and not source.list_id:
        faults.append(SourceError("list_id", "a campaign goes to a list"))
    if not _BASE.fullmatch(source.link_base) or len(source.link_base) > links.LONGEST_BASE:
        faults.append(
            SourceError("link_base", f"is no address of {links.LONGEST_BASE} characters or less")
        )
    try:
        header_fields.return_domain(source.message_id_domain)
    except header_fields.HeaderFieldError as error:
        faults.append(SourceError("message_id_domain", str(error)))
    if not _FEEDBACK.fullmatch(source.feedback_id) or len(source.feedback_id) > 150:
        faults.append(SourceError("feedback_id", "is not a:b:c:SenderId (U-11)"))
    return faults


def _headers(source: Source) -> dict[str, str]:
    return {
        "from_name": source.from_name,
        "from_address": source.from_address,
        "reply_to": source.reply_to or source.from_address,
        "list_id": source.list_id,
        "feedback_id": source.feedback_id,
    }


def _whole_faults(compiled: CompiledMail) -> list[SourceError]:
    """Return what only shows in the whole: tags that no longer pair once HTML put them in order."""
    for name, text in (("body", compiled.html), ("body", compiled.text)):
        try:
            personalising.parse(text, field=name)
        except LiquidError as error:
            fault = personalising.fault_of(error, field=name, source=text)
            message = f"{fault.message}: a tag opens and closes at different depths of the HTML"
            return [SourceError(name, message)]
    return []
