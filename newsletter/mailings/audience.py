"""Who would receive a mailing, and why the others do not."""

from dataclasses import dataclass

from newsletter.models import Mailing
from registrants import gate


@dataclass(frozen=True)
class Audience:
    """How many may get it, how many not by reason, how many opt-outs a notice overrides."""

    allowed: int
    left_out: dict[str, int]
    overridden: int

    @property
    def explained(self) -> list[tuple[str, int]]:
        """Return the reasons in words, the most frequent first."""
        return [(gate.Refusal(reason).label, count) for reason, count in self.left_out.items()]


def question(mailing: Mailing) -> gate.Question:
    """Return what the gate is asked for a mailing: kind, client, list and service."""
    return gate.Question(
        kind=gate.MailKind(mailing.kind),
        client=mailing.client_id,
        mailing_list=mailing.mailing_list_id,
        service=mailing.service_id,
    )


def audience(mailing: Mailing) -> Audience:
    """Count whom a mailing would reach now, and why the others are left out."""
    gate_question = question(mailing)
    return Audience(
        allowed=gate.allowed(gate_question).count(),
        left_out=gate.refused(gate_question),
        overridden=gate.overridden(gate_question) if mailing.kind == Mailing.Kind.NOTICE else 0,
    )
