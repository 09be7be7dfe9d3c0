"""What a reader would stumble over in a mail, each with its place: broken links, leftovers."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from newsletter.content import html_tokens, web_addresses
from newsletter.content.allowed_markup import MAY_BEGIN
from newsletter.content.attributes import attributes
from newsletter.content.compiled import CompiledMail
from newsletter.content.errors import SourceError
from newsletter.content.html_tokens import Kind

BROKEN_LINKS, PICTURES, PLACEHOLDERS = (
    "Links that lead somewhere",
    "Addresses of pictures",
    "Placeholders",
)
MARKUP, FILLER = "No markup as text", "No filler text"
MOST_FOUND: Final = 30
"""Findings of one kind that are told."""
_AS_IT_IS: Final = frozenset({"code", "pre", "kbd", "samp", "tt"})
_UNSEEN: Final = frozenset({"head", "style", "script", "title"})
_ADDRESS: Final = re.compile(r"[^@\s,<>]{1,64}@[^@\s,.<>]+(?:\.[^@\s,.<>]+)+")
_NAMES: Final = r"(?:(?:first|last|full|sur|user)[ _-]?)?name|unsubscribe[ _-]?(?:url|link)"
_LEFTOVERS: Final = re.compile(
    r"\*\|[A-Z0-9_:]{1,40}\|\*"  # Mailchimp
    r"|%recipient[.%][\w.]{0,40}%?"  # Mailgun
    r"|%%[\w .-]{1,40}%%"  # Salesforce, Exact Target
    r"|\[\[[\w .:-]{1,40}\]\]"  # Mailjet, Sendy
    r"|\{\$[\w.]{1,40}\}"  # MailerLite, Smarty
    r"|\$\{[\w.]{1,40}\}|#\{[\w.]{1,40}\}"
    r"|<%=?[^%<>]{1,80}%>"  # ERB
    r"|\{\{[^{}]{1,80}\}\}"
    rf"|\[(?:{_NAMES})(?:,[^\[\]]{{0,40}})?\](?!\()|(?<!\{{)\{{(?:{_NAMES})\}}|(?<!%)%(?:{_NAMES})%",
    re.IGNORECASE,
)
_TAG_AS_TEXT: Final = re.compile(
    r"</?(?:p|div|span|a|b|i|u|strong|em|br|td|tr|table|tbody|img|h[1-6]|ul|ol|li|font|center"
    r"|mj-[a-z]+)(?:\s[^<>]{0,300})?/?>",
    re.IGNORECASE,
)
_MARKDOWN_AS_TEXT: Final = re.compile(r"\]\([^()\s]{1,300}\)|(?<!\*)\*\*[^*\s][^*]{0,200}\*\*")
_FILLER_TEXT: Final = re.compile(r"lorem\s+ipsum", re.IGNORECASE)
_NO_ADDRESS: Final = r"\]\(\)|\b(?:href|src)=(?:\"\"|''|(?=[\s>]))"
_VALUE: Final = re.compile(
    r"\{\{-?\s*registrant\.(?P<name>\w+)\s*(?P<rest>[^{}]{0,400}?)-?\}\}"
    r"|\{%-?\s*(?P<tag>\w+)(?P<condition>[^{}]{0,400}?)-?%\}"
)


@dataclass(frozen=True)
class Finding:
    """One thing found: of which kind, where and why; what is not broken only warns."""

    check: str
    is_broken: bool
    fault: SourceError


class _Note(NamedTuple):
    """What is to be told, and as what it is written."""

    check: str
    written: str
    message: str
    is_broken: bool = True


def proofread(texts: dict[str, str], mail: CompiledMail, subject: str, html: str) -> list[Finding]:
    """Return what is broken or doubtful in a mail, by its sources, compiled form and parts."""
    noted = [
        *_addresses(mail.html),
        *_hosts(mail.links),
        *_leftovers({"subject": subject, "body": html}),
        *_as_text(html),
    ]
    once = {(note.check, note.message): note for note in reversed(noted)}
    counted = Counter[str]()
    listed = []
    for note in reversed(once.values()):
        counted[note.check] += 1
        if counted[note.check] <= MOST_FOUND:
            fault = _found(texts, note.written, note.message)
            listed.append(Finding(note.check, note.is_broken, fault))
    return listed


def bare_values(texts: dict[str, str]) -> list[SourceError]:
    """Return where each value of a reader's is written first without a word for who lacks it.

    The message of each is the value's name; a `default`, or an `if` that asks for it, is enough.
    """
    listed: dict[str, SourceError] = {}
    for field in ("subject", "preheader", "body", "layout"):
        guards: list[str] = []
        for match in _VALUE.finditer(texts.get(field, "")):
            tag, value = match["tag"], match["name"]
            if tag is None:
                if "default" not in match["rest"] and not any(value in guard for guard in guards):
                    fault = _place(texts[field], field, match.start(), value)
                    listed.setdefault(value, fault)
            elif tag in ("if", "unless", "case", "for"):
                guards.append(match["condition"])
            elif tag in ("elsif", "when") and guards:
                guards[-1] += match["condition"]
            elif tag in ("endif", "endunless", "endcase", "endfor") and guards:
                guards.pop()
    return list(listed.values())


def _addresses(html: str) -> Iterator[_Note]:
    targets: set[str] = set()
    uses: list[tuple[str, str, str]] = []
    for token in html_tokens.tokens(html):
        if token.kind is not Kind.START:
            continue
        for name, value in attributes(html[token.start : token.end]):
            if name in ("id", "name"):
                targets.add(value)
            elif name in ("href", "src", "background") and "{{" not in value:
                uses.append((token.name, name, value.strip()))
    for element, name, value in uses:
        if "{%" in value:
            continue
        if name == "href" and element in ("a", "area"):
            reason = broken_link(value, targets)
            if reason is not None:
                yield _Note(BROKEN_LINKS, value, f"{_named(value)} {reason}")
        elif name == "src" or (name == "background" and value):
            reason = _broken_picture(value)
            if reason is not None:
                yield _Note(PICTURES, value, f"{_named(value)} {reason}")


def _hosts(addresses: list[str]) -> Iterator[_Note]:
    for address in addresses:
        reason = _broken_web(address)
        if reason is not None:
            yield _Note(BROKEN_LINKS, address.rstrip("/"), f"{_named(address)} {reason}")


def _named(value: str) -> str:
    return f"“{value[:80]}”" if value else "A link without address"


def broken_link(address: str, targets: set[str]) -> str | None:
    """Say why an address leads nowhere from a mail, None where it does lead somewhere."""
    scheme = web_addresses.scheme(address)
    if not address:
        return "leads nowhere."
    if address.startswith("#"):
        there = address[1:] in targets or unquote(address[1:]) in targets
        return None if there and len(address) > 1 else "names a place that is not in this mail."
    if scheme in ("http", "https"):
        return _broken_web(address)
    if scheme == "mailto":
        to, _, rest = address[7:].partition("?")
        people = [unquote(one).strip() for one in to.split(",") if one.strip()]
        if any(not _ADDRESS.fullmatch(one) for one in people) or not (people or "to=" in rest):
            return "is no mail address."
        return None
    if scheme in ("tel", "sms"):
        return None if re.search(r"\d", address) else "has no number."
    if scheme in MAY_BEGIN:
        return None
    if scheme:
        return f"begins with {scheme}:, which no mail program opens."
    return "has no https:// before it: a mail has no site it could belong to."


def _broken_web(address: str) -> str | None:
    asked = web_addresses.asked_for(address)
    if asked is None:
        return "is no address a browser could open."
    host = re.sub(r"^\w+://(?:[^/@]*@)?|[:/?#].*$", "", asked)
    if "." not in host.strip(".") and not host.startswith("["):
        return f"leads to “{host}”, which is no host on the internet."
    return None


def _broken_picture(address: str) -> str | None:
    scheme = web_addresses.scheme(address)
    if not address:
        return "is no address of a picture."
    if scheme in ("http", "https"):
        return _broken_web(address)
    if scheme:
        return f"begins with {scheme}:; mail programs load pictures by https alone."
    return "has no https:// before it: no mail program would find the picture."


def _leftovers(parts: dict[str, str]) -> Iterator[_Note]:
    for name, part in parts.items():
        shown = "\n".join(_outside_code(part)) if name == "body" else part
        for match in _LEFTOVERS.finditer(shown):
            message = f"{match[0]} is a placeholder of another system; readers would see it so."
            yield _Note(PLACEHOLDERS, match[0], message)
        for match in _FILLER_TEXT.finditer(shown):
            yield _Note(FILLER, match[0], "“Lorem ipsum” is left in it.", False)


def _as_text(html: str) -> Iterator[_Note]:
    shown = " ".join(_outside_code(html, with_attributes=False))
    for pattern in (_TAG_AS_TEXT, _MARKDOWN_AS_TEXT):
        for match in pattern.finditer(shown):
            message = f"{match[0][:60]} is shown as it is written here, not as what it means."
            yield _Note(MARKUP, match[0], message, False)


def _outside_code(html: str, *, with_attributes: bool = True) -> Iterator[str]:
    """Yield what a reader is shown, save what is shown as code; and where links lead."""
    skipping: list[str] = []
    for token in html_tokens.tokens(html):
        text = html[token.start : token.end]
        if token.kind is Kind.TEXT and not skipping:
            yield unescape(text)
        elif token.kind is Kind.START and token.name in _AS_IT_IS | _UNSEEN:
            skipping.append(token.name)
        elif token.kind is Kind.END and skipping and token.name == skipping[-1]:
            skipping.pop()
        elif token.kind is Kind.START and with_attributes and not skipping:
            names = ("href", "src", "alt", "title")
            yield from (unquote(value) for name, value in attributes(text) if name in names)


def _found(texts: dict[str, str], written: str, message: str) -> SourceError:
    """Return a fault where something stands in its sources, as it is or as HTML writes it."""
    for spelling in dict.fromkeys((written, escape(written, quote=False), escape(written))):
        for name in ("body", "layout", "subject", "preheader"):
            source = texts.get(name, "")
            bounds = re.escape(spelling) if spelling else _NO_ADDRESS
            match = re.search(rf"(?<=[\"'=(<\[]){bounds}", source) or re.search(bounds, source)
            if match is not None:
                return _place(source, name, match.start(), message)
    return SourceError("body", message)


def _place(source: str, field: str, index: int, message: str) -> SourceError:
    before = source[:index]
    return SourceError(field, message, before.count("\n") + 1, index - before.rfind("\n"))


def loaded_findings(rows: list[dict[str, Any]]) -> list[Finding]:
    """Return what was made plain data of with `dataclasses.asdict`."""
    return [Finding(**row | {"fault": SourceError(**row["fault"])}) for row in rows]
