"""What must be true before a mailing may go, each check with its reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

from liquid import escape

from newsletter import links
from newsletter.content import html_tokens
from newsletter.content.attributes import attributes
from newsletter.content.compiling import CompiledMail
from newsletter.mailings.audience import question
from newsletter.models import Mailing
from newsletter.rendering.visible_text import VisibleContent, plain
from newsletter.review import previewing, sender_faults
from newsletter.review.previewing import Preview, Trial
from newsletter.senders import failover
from newsletter.senders.provider_catalogue import unfit
from registrants import gate
from registrants.tokens import Scope

CLIPPED = 100 * 1024
"""Bytes of HTML after which Gmail may cut; the footer must begin before (M-6)."""
LARGE_BYTES = 90 * 1024
PREHEADER_SEEN = 110


@dataclass(frozen=True)
class Check:
    """One thing looked at; one that is not blocking only warns."""

    name: str
    passed: bool
    blocking: bool
    reason: str

    @property
    def verdict(self) -> str:
        """Return passed, failed or warning."""
        return "passed" if self.passed else "failed" if self.blocking else "warning"


def must(name: str, passed: bool, failed: str, fine: str = "") -> Check:
    """Return a check without which nothing goes."""
    return Check(name, passed, True, fine if passed else failed)


def should(name: str, passed: bool, warned: str, fine: str = "") -> Check:
    """Return a check that only warns."""
    return Check(name, passed, False, fine if passed else warned)


def check(mailing: Mailing, trial: Trial | None = None) -> list[Check]:
    """Return every check of a mailing as it stands, what blocks first.

    The trial is what came of making it; it is made for the first of its readers where none is
    given.
    """
    made = trial or previewing.trial(mailing, previewing.person(mailing))
    results = [*_settings(mailing), *_content(mailing, made)]
    return sorted(results, key=lambda result: (result.passed, not result.blocking))


def blocked(mailing: Mailing) -> list[Check]:
    """Return the checks that keep a mailing from going; empty where it may."""
    return [result for result in check(mailing) if result.blocking and not result.passed]


def _settings(mailing: Mailing) -> Iterator[Check]:
    """Look at who sends what to whom, before any word of it."""
    client = mailing.client
    rows = (mailing.sender, mailing.mailing_list, mailing.service, mailing.template)
    strangers = [row for row in rows if row is not None and row.client_id != client.pk]
    yield must(
        "All of one client",
        not strangers,
        f"{', '.join(map(str, strangers))} belongs to another client than {client}.",
        f"Sender, audience and layout belong to {client}.",
    )
    if mailing.kind == Mailing.Kind.CAMPAIGN:
        yield must(
            "Client in good standing",
            client.on_hold_at is None,
            f"{client} is on hold for acceptable use; no campaign of theirs leaves.",
            f"{client} is not on hold.",
        )
        yield must(
            "Client's postal address",
            bool(client.postal_address.strip()),
            f"{client} has no postal address; an administrator writes it on the client's page.",
            "The client's page has one.",
        )
    else:
        yield must(
            "Reason",
            bool(mailing.reason.strip()),
            "Say why this must reach everyone enrolled, whatever they opted out of.",
            "It is said why this must reach everyone.",
        )
    stopped = mailing.sender.stopped_at is not None and not failover.routes(mailing.sender)
    yield must(
        "Sender",
        not stopped,
        f"“{mailing.sender.name}” is stopped: {mailing.sender.stopped_reason}"
        " Mend it on the sender's page and let it be used again.",
        "It can be used.",
    )
    faults = sender_faults.faults(mailing)
    yield must(
        "Sender's settings",
        not faults,
        " ".join(faults),
        f"Mail can leave by them, from a domain of {client}.",
    )
    yield must(
        "Audience",
        gate.allowed(question(mailing)).exists(),
        "Nobody would get it: no one of this audience may be mailed.",
        "There is somebody to send it to.",
    )


def _content(mailing: Mailing, trial: Trial) -> Iterator[Check]:
    """Look at the mail itself, made for one of its readers."""
    if trial.look is None:
        reasons = "; ".join(f"{fault.field}: {fault}" for fault in trial.faults)
        yield must("The mail can be read", False, reasons)
        return
    yield must("The mail can be read", True, "", "Subject, body and layout are sound.")
    yield must("Body", bool(mailing.body.strip()), "There is nothing to read in it.", "Written.")
    mail, visible, made = trial.look.compilation.mail, trial.look.visible, trial.preview
    yield _variables(trial)
    yield from _providers(mailing, made)
    yield from _footer(mail, made, visible)
    yield from _size(mail, made)
    yield from _images(mailing, visible)
    yield from _subject(mailing, made)
    yield from _links(mail)


def _variables(trial: Trial) -> Check:
    unknown = trial.faults
    return must(
        "Variables",
        not unknown,
        "; ".join(f"{fault.field}: {fault}" for fault in unknown),
        "Every variable is one readers have.",
    )


def _providers(mailing: Mailing, made: Preview) -> Iterator[Check]:
    """Look for words a mail provider would take for placeholders of its own (A-5)."""
    text = "\n".join((made.subject, made.text, made.html))
    by_api = [sender for sender in failover.chain(mailing.sender) if sender.transport == "provider"]
    if by_api:
        taken = [why for sender in by_api if (why := unfit(sender.provider, text))]
        yield must(
            "Left alone by the provider",
            not taken,
            f"{'; '.join(taken)}. Write it another way, or choose another sender.",
            "Nothing in it means something to the provider.",
        )


def _footer(mail: CompiledMail, made: Preview, visible: VisibleContent) -> Iterator[Check]:
    """Look for what the law wants in sight, in both parts, after rendering (L-5, AT-L1)."""
    text = plain(made.text)
    if mail.kind == Mailing.Kind.NOTICE:
        line = plain(str(mail.constants["footer_reason"]))
        what = "the line that says why readers get this even if unsubscribed"
        yield _in_both("Why readers get it", line in visible.text, line in text, what)
        return
    client = cast("dict[str, str]", mail.constants["client"])
    lines = [plain(line) for line in client["postal_address"].splitlines() if line.strip()]
    yield _in_both(
        "Postal address in the mail",
        bool(lines) and all(line in visible.text for line in lines),
        bool(lines) and all(line in text for line in lines),
        "the client's postal address",
    )
    leave = _leaving(mail)
    yield _in_both(
        "Unsubscribe link in the mail",
        any(leave.match(link) for link in visible.links),
        bool(leave.search(made.text)),
        "a link to unsubscribe that can be seen",
    )


def _in_both(name: str, in_html: bool, in_text: bool, what: str) -> Check:
    where = {(False, False): "Both parts lack", (False, True): "The HTML part lacks",
             (True, False): "The text part lacks"}.get((in_html, in_text), "")  # fmt: skip
    return must(
        name,
        in_html and in_text,
        f"{where} {what}; the layout has to show it.",
        f"Both parts show {what}.",
    )


def _leaving(mail: CompiledMail) -> re.Pattern[str]:
    starts = map(
        partial(links.before_token, mail.link_base), (Scope.PREFERENCES, Scope.UNSUBSCRIBE)
    )
    return re.compile(f"(?:{'|'.join(map(re.escape, starts))})" + r"[\w…-]+")


def _size(mail: CompiledMail, made: Preview) -> Iterator[Check]:
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
    shown = [image for image in visible.images if Scope.PIXEL.path not in image.address]
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


def _subject(mailing: Mailing, made: Preview) -> Iterator[Check]:
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
