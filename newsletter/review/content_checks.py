"""Checks of the mail itself, as it was made for one of its readers; they ask no database."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import cast

from liquid import escape

from newsletter import links
from newsletter.content import html_tokens
from newsletter.content.attributes import attributes
from newsletter.content.compiled import CompiledMail
from newsletter.content.errors import SourceError
from newsletter.models import Mailing
from newsletter.rendering import proofreading
from newsletter.rendering.inert_preview import InertMail
from newsletter.rendering.visible_text import VisibleContent, plain
from newsletter.review.verdicts import Check, must, placed, should
from newsletter.sandbox import Look
from registrants.tokens import Scope

CLIPPED = 100 * 1024
"""Bytes of HTML after which Gmail may cut; the footer must begin before (M-6)."""
LARGE_BYTES = 90 * 1024
PREHEADER_SEEN = 110


def of(mailing: Mailing, look: Look, unknown: Sequence[SourceError]) -> Iterator[Check]:
    """Yield each check of a mail and of the fields it was written in."""
    mail, made = look.compilation.mail, look.made
    yield must("Body", bool(mailing.body.strip()), "There is nothing to read in it.", "Written.")
    yield placed("Variables", unknown, "Every variable is one readers have.", blocking=True)
    yield from _footer(mail, made, look)
    yield from _size(mail, made)
    yield from _images(mailing, look.visible)
    yield from _readings(look)
    yield from _subject(mailing, made)
    yield from _links(mail)


def _footer(mail: CompiledMail, made: InertMail, look: Look) -> Iterator[Check]:
    """Look for what the law wants in sight, in both parts, after rendering (L-5, AT-L1)."""
    text = plain(made.text)
    if mail.kind == Mailing.Kind.NOTICE:
        line = plain(str(mail.constants["footer_reason"]))
        what = "the line that says why readers get this even if unsubscribed"
        hidden = _unseen(look, lambda visible: line in visible.text)
        yield _in_both("Why readers get it", hidden, line in text, what)
        return
    client = cast("dict[str, str]", mail.constants["client"])
    lines = [plain(line) for line in (client["postal_address"] or "").splitlines() if line.strip()]
    yield _in_both(
        "Postal address in the mail",
        _unseen(look, lambda seen: bool(lines) and all(line in seen.text for line in lines)),
        bool(lines) and all(line in text for line in lines),
        "the client's postal address",
    )
    leave = _leaving(mail)
    yield _in_both(
        "Unsubscribe link in the mail",
        _unseen(look, lambda visible: any(leave.match(link) for link in visible.links)),
        bool(leave.search(made.text)),
        "a link to unsubscribe that can be seen",
    )


def _unseen(look: Look, is_there: Callable[[VisibleContent], bool]) -> str | None:
    """Say how a mail is looked at where something cannot be seen; None where it always can."""
    return next((how for how, seen in look.appearances.items() if not is_there(seen)), None)


def _in_both(name: str, hidden: str | None, in_text: bool, what: str) -> Check:
    in_html = hidden is None
    where = {(False, False): "Both parts lack", (False, True): "The HTML part lacks",
             (True, False): "The text part lacks"}.get((in_html, in_text), "")  # fmt: skip
    how = f" (looked at {hidden})" if hidden else ""
    return must(
        name,
        in_html and in_text,
        f"{where} {what}{how}; the layout has to show it.",
        f"Both parts show {what}.",
    )


def _leaving(mail: CompiledMail) -> re.Pattern[str]:
    starts = map(
        partial(links.before_token, mail.link_base), (Scope.PREFERENCES, Scope.UNSUBSCRIBE)
    )
    return re.compile(f"(?:{'|'.join(map(re.escape, starts))})" + r"[\w…-]+")


def _size(mail: CompiledMail, made: InertMail) -> Iterator[Check]:
    html = made.html.encode()
    if mail.kind == Mailing.Kind.NOTICE:
        mark = html.find(str(escape(mail.constants["footer_reason"])).encode())
    else:
        matches = list(_leaving(mail).finditer(made.html))
        mark = len(made.html[: matches[-1].start()].encode()) if matches else len(html)
    yield must(
        "Footer before Gmail's clip",
        mark < CLIPPED,
        f"The footer begins after {mark // 1024} KB; Gmail cuts at about 102 KB and would hide it."
        " Shorten the mail.",
        f"The footer begins after {mark // 1024} KB of HTML.",
    )
    yield should(
        "Size",
        len(html) < LARGE_BYTES,
        f"{len(html) // 1024} KB of HTML; Gmail cuts at about 102 KB.",
        f"{max(1, len(html) // 1024)} KB of HTML.",
    )


def _images(mailing: Mailing, visible: VisibleContent) -> Iterator[Check]:
    shown = visible.images
    without = [image for image in shown if image.alt is None]
    tags = html_tokens.start_tags(mailing.body, "mj-image", xml=True)
    written = [tag for tag in tags if "alt" not in dict(attributes(tag))]
    yield must(
        "Alternative text",
        not without and not written,
        f"{max(len(without), len(written))} image(s) without alt text"
        + (f", the first is {without[0].address[:80]}" if without else "")
        + "; readers without images see nothing there.",
        "Every image has one." if shown else "There are no images.",
    )
    empty = [image for image in shown if image.alt is not None and not image.alt.strip()]
    if empty and not written:
        yield should(
            "Empty alternative text",
            False,
            f"{len(empty)} image(s) with an empty alt text: right for ornament alone.",
        )


def _subject(mailing: Mailing, made: InertMail) -> Iterator[Check]:
    subject = made.subject.strip()
    yield must(
        "Subject",
        bool(subject) and len(subject) <= 255,
        "The subject is empty, or longer than 255 characters, once it is filled in.",
        f"“{subject}”",
    )
    yield should(
        "Honest subject",
        not re.match(r"(re|fwd?|aw|wg|sv|tr)\s*:", subject, re.IGNORECASE),
        "It begins like an answer or a forwarded mail; readers take that for a trick (M-15).",
        "It does not pretend to be an answer.",
    )
    letters = [letter for letter in subject if letter.isalpha()]
    yield should(
        "Quiet subject",
        (len(letters) < 8 or not all(letter.isupper() for letter in letters))
        and subject.count("!") < 2,
        "Capitals throughout, or several exclamation marks, look like spam.",
        "No shouting.",
    )
    yield should(
        "Preheader",
        0 < len(mailing.preheader.strip()) <= PREHEADER_SEEN,
        "Without one, inboxes show the first words of the mail; beyond"
        f" {PREHEADER_SEEN} characters most cut it.",
        "Its length fits.",
    )


def _links(mail: CompiledMail) -> Iterator[Check]:
    if mail.kind == Mailing.Kind.NOTICE:
        return
    yield should(
        "Links",
        not mail.personal_links,
        "Left as they are, so that clicks on them are not counted, because part of them is"
        f" personal: {len(mail.personal_links)}.",
        f"Clicks can be counted for readers who allow it; links: {len(mail.links)}.",
    )


def _readings(look: Look) -> Iterator[Check]:
    """Say what a reader would stumble over, each at its line."""
    for name, fine in {
        proofreading.BROKEN_LINKS: "None is broken.",
        proofreading.PICTURES: "Each can be loaded.",
        proofreading.PLACEHOLDERS: "None of another system is left.",
        proofreading.MARKUP: "No tag is shown as text.",
        proofreading.FILLER: "None is left.",
    }.items():
        findings = [finding for finding in look.findings if finding.check == name]
        blocking = any(finding.is_broken for finding in findings)
        yield placed(name, [finding.fault for finding in findings], fine, blocking=blocking)
    yield placed(
        "Nothing taken out", look.compilation.taken_out, "All of it may stay.", blocking=False
    )
