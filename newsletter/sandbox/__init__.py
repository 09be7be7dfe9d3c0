"""Whatever works on what a person typed, done in a process that may break and knows no secret.

Only what goes through here may read a body, a layout or a subject for the first time. A worker
that sends renders in its own process: what it renders has been through here.
"""

from dataclasses import asdict, dataclass
from typing import Any

from newsletter.content import bounds
from newsletter.content.compiled import Compilation, CompiledMail
from newsletter.content.compiling import Source
from newsletter.content.errors import SourceError, SourceErrors
from newsletter.rendering.inert_preview import InertMail
from newsletter.rendering.proofreading import Finding, loaded_findings
from newsletter.rendering.splicing import Recipient
from newsletter.rendering.visible_text import VisibleContent, loaded
from newsletter.sandbox.errors import UsedUp
from newsletter.sandbox.frames import Message
from newsletter.sandbox.pool import ask, in_turn

__all__ = [
    "Look",
    "UsedUp",
    "compilation",
    "compile_mail",
    "in_turn",
    "look",
    "mails_of_a_test",
]


@dataclass(frozen=True)
class Look:
    """A mail as one person will get it, and all that is read off it; made by one compile."""

    compilation: Compilation
    made: InertMail
    unknown_variables: list[SourceError]
    """Each variable no reader of such a mail has."""
    appearances: dict[str, VisibleContent]
    """What can be seen of it, by how it is looked at."""
    findings: list[Finding]
    bare_values: list[SourceError]
    """Each value of a reader's written without a word for who lacks it; the message names it."""

    @property
    def visible(self) -> VisibleContent:
        """Return what can be seen of it at a desk, in daylight."""
        return next(iter(self.appearances.values()))


def compile_mail(source: Source) -> CompiledMail:
    """Compile a source and cut it for trial; raises SourceErrors, UsedUp among them."""
    return compilation(source).mail


def compilation(source: Source) -> Compilation:
    """Compile a source, cut it for trial and say what was taken out; raises SourceErrors."""
    _refuse_large(source)
    return _compilation(_asked("compile", source, {"source": asdict(source)}))


def look(recipient: Recipient, *, source: Source | None, mail: CompiledMail | None = None) -> Look:
    """Make a mail for one person, from its source or as it is compiled; raises SourceErrors.

    Of a source beside a compiled mail only the variables are looked at.
    """
    if source is not None:
        _refuse_large(source)
    written = {name: asdict(it) for name, it in (("source", source), ("mail", mail)) if it}
    answer = _asked("look", source, {**written, "recipient": asdict(recipient)})
    made = answer["made"]
    return Look(
        _compilation(answer),
        InertMail(**made | {"raw": made["raw"].encode("latin-1")}),
        [SourceError(**fault) for fault in answer["unknown_variables"]],
        {name: loaded(fields) for name, fields in answer["appearances"].items()},
        loaded_findings(answer["findings"]),
        [SourceError(**bare) for bare in answer["bare_values"]],
    )


def mails_of_a_test(
    mail: CompiledMail, recipient: Recipient, *, inert: str, before_subject: str, to: list[str]
) -> list[bytes]:
    """Make a mail as one person gets it, addressed to each of some staff; raises SourceErrors."""
    message = {"inert": inert, "before_subject": before_subject, "to": to}
    answer = ask("tests", {"mail": asdict(mail), "recipient": asdict(recipient), **message})
    return [made.encode("latin-1") for made in answer["mails"]]


def _refuse_large(source: Source) -> None:
    faults = bounds.too_large(source.texts | {"reason": source.reason_line})
    if faults:
        raise SourceErrors(faults)


def _asked(job: str, source: Source | None, message: Message) -> Message:
    """Ask for a job; where it takes too much, a layout that a person typed is named too."""
    try:
        return ask(job, message)
    except UsedUp as used_up:
        in_layout = source is not None and bool(source.layout.strip())
        raise UsedUp(used_up.what, in_layout=in_layout) from None


def _compilation(answer: dict[str, Any]) -> Compilation:
    return Compilation(
        CompiledMail(**answer["mail"]), [SourceError(**fault) for fault in answer["taken_out"]]
    )
