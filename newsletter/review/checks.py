"""What must be true before a mailing may go, each check with its reason."""

from collections.abc import Iterator

from newsletter.mailings.audience import question
from newsletter.models import Mailing
from newsletter.review import content_checks, missing_values, previewing, sender_faults
from newsletter.review.previewing import Preview, Trial
from newsletter.review.verdicts import Check, must, placed
from newsletter.senders import failover
from newsletter.senders.provider_catalogue import unfit
from registrants import gate


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
        yield placed("The mail can be read", trial.faults, "", blocking=True)
        return
    yield must("The mail can be read", True, "", "Subject, body and layout are sound.")
    yield from content_checks.of(mailing, trial.look, trial.faults)
    yield from _providers(mailing, trial.preview)
    yield missing_values.check(mailing, trial.look.bare_values)


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
