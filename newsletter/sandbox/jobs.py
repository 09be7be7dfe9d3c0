"""What is done in a sandbox: plain data in, plain data out, no database, no key, no settings."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from liquid.exceptions import LiquidError

from newsletter.content import compiling, personalising
from newsletter.content.compiling import Compilation, CompiledMail, Source
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.rendering import inert_preview, inert_renderer, proofreading
from newsletter.rendering.appearances import appearances
from newsletter.rendering.splicing import Recipient, Unrenderable, Values, cut
from newsletter.rendering.visible_text import visible_content
from newsletter.sandbox.frames import Message


def compile_source(message: Message) -> Message:
    """Compile a source and cut it, so that what would break when it is cut breaks here."""
    made = compiling.compilation(_source(message))
    _cut(made)
    return _plain(made)


def look(message: Message) -> Message:
    """Compile a source, make it for one person, and read off it what the checks ask for."""
    source = _source(message) if "source" in message else None
    if "mail" in message:
        made = Compilation(CompiledMail(**message["mail"]))
    else:
        made = compiling.compilation(_source(message))
    _cut(made)
    try:
        mail = inert_preview.preview(made.mail, Recipient(**message["recipient"]))
    except Unrenderable as refused:
        raise SourceErrors([SourceError("body", str(refused))]) from refused
    unknown = compiling.unknown_variables(source) if source else []
    return _plain(made) | {
        "made": mail._asdict() | {"raw": mail.raw.decode("latin-1")},
        "appearances": {
            name: asdict(visible_content(page)) for name, page in appearances(mail.html).items()
        },
        "findings": [
            asdict(finding)
            for finding in proofreading.proofread(
                source.texts if source else {}, made.mail, mail.subject, mail.html
            )
        ],
        "bare_values": [
            asdict(bare) for bare in proofreading.bare_values(source.texts if source else {})
        ],
        "unknown_variables": [asdict(fault) for fault in unknown],
    }


def make_tests(message: Message) -> Message:
    """Make the test mails of a compiled mail as one person, for each of some staff."""
    try:
        mails = inert_renderer.mails_of_a_test(
            CompiledMail(**message["mail"]),
            Recipient(**message["recipient"]),
            inert=message["inert"],
            before_subject=message["before_subject"],
            to=message["to"],
        )
    except Unrenderable as refused:
        raise SourceErrors([SourceError("body", str(refused))]) from refused
    return {"mails": [mail.decode("latin-1") for mail in mails]}


JOBS: Final[dict[str, Callable[[Message], Message]]] = {
    "compile": compile_source,
    "look": look,
    "tests": make_tests,
}


def _source(message: Message) -> Source:
    fields = message["source"]
    names = {name: tuple(fields[name]) for name in ("attribute_names", "letter_names")}
    return Source(**fields | names)


def _plain(made: Compilation) -> Message:
    return {"mail": asdict(made.mail), "taken_out": [asdict(fault) for fault in made.taken_out]}


def _cut(made: Compilation) -> None:
    """Cut a mail as a worker will; constants are worked out here, and fail here."""
    mail = made.mail
    values = Values(mail.constants, lambda _: "", lambda _: {})
    for field, text, html in (
        ("subject", mail.subject, False),
        ("body", mail.text, False),
        ("body", mail.html, True),
    ):
        try:
            cut(text, html=html, values=values)
        except LiquidError as error:
            fault = personalising.fault_of(error, field=field, source=text)
            raise SourceErrors([SourceError(field, fault.message)]) from None
