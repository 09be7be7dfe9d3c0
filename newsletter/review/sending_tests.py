"""A mailing sent to its own staff to look at, before anybody else gets it."""

from collections.abc import Sequence
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from accountability import audit
from newsletter import links, sandbox
from newsletter.content import header_fields
from newsletter.content.compiled import CompiledMail
from newsletter.content.errors import SourceErrors
from newsletter.mailings import freezing
from newsletter.models import Mailing
from newsletter.review import previewing
from newsletter.senders import routing
from newsletter.transports import Message, Outcome, Unavailable
from registrants import languages
from registrants.models import Registrant

TEST_RECIPIENTS: Final = 5
"""Staff one test may go to at once."""


class NotSent(Exception):
    """A test could not be sent, or not to all; says why."""


def colleagues(mailing: Mailing) -> QuerySet[User]:
    """Return the staff a test of a mailing may go to: active, of its client, with an address."""
    works_here = Q(is_superuser=True) | Q(pk__in=mailing.client.assignments.values("staff"))
    active = User.objects.filter(works_here, is_active=True, is_staff=True)
    return active.exclude(email="").order_by("username")


def chosen(mailing: Mailing, staff: User, typed: Sequence[str]) -> list[User]:
    """Return whom somebody chose by id, oneself where nobody; raises NotSent."""
    if not typed:
        if not staff.email:
            raise NotSent("Your account has no e-mail address; ask an administrator to add it.")
        return [staff]
    numbers = {int(pk) for pk in typed if pk.isascii() and pk.isdigit() and len(pk) < 10}
    recipients = list(colleagues(mailing).filter(pk__in=numbers)[: TEST_RECIPIENTS + 1])
    if len(recipients) != len(set(typed)):
        raise NotSent("Choose among the people of the list: staff of this client with an address.")
    if len(recipients) > TEST_RECIPIENTS:
        raise NotSent(f"Choose at most {TEST_RECIPIENTS} people.")
    return recipients


def send_test(
    mailing: Mailing, *, asked_by: User, to: Sequence[User], registrant: Registrant | None = None
) -> None:
    """Send a mailing to some staff at once, as one person of its audience gets it.

    It is the mail itself, save To, [Test] and its links, which act on nothing. Raises NotSent where
    it cannot be rendered, or the server says no.
    """
    try:
        mail = freezing.mail_of(mailing)
        messages = messages_of(mailing, mail, to, registrant or previewing.person(mailing))
    except SourceErrors as refused:
        raise NotSent(str(refused)) from refused
    audit.record(
        act="test",
        subject=mailing,
        staff=asked_by.pk,
        client=mailing.client_id,
        to=[recipient.pk for recipient in to],
    )
    try:
        wire = routing.opened(routing.wire_settings(mailing.sender))
        try:
            outcomes = list(wire.send(messages))
        finally:
            wire.close()
    except (Unavailable, ValueError) as away:
        raise NotSent(f"The mail server cannot be used: {away}") from away
    _refuse_untaken(outcomes, to)


def messages_of(
    mailing: Mailing, mail: CompiledMail, to: Sequence[User], registrant: Registrant | None
) -> list[Message]:
    """Return the test mails, one each; raises NotSent, and SourceErrors where it is no mail."""
    addresses = [_address(recipient) for recipient in to]
    with languages.speaking(mailing.client.locale):
        before = gettext("[Test]") + " "
    made = sandbox.mails_of_a_test(
        mail,
        previewing.as_person(mailing, registrant),
        inert=links.of_a_test(mail.link_base, mailing.client_id),
        before_subject=before,
        to=addresses,
    )
    bounces_to, name = links.bounce_of_a_test(mail.bounce_domain), mail.headers["from_name"]
    return [
        Message(number, bounces_to, address, data, True, from_name=name)
        for number, (address, data) in enumerate(zip(addresses, made, strict=True))
    ]


def _address(recipient: User) -> str:
    try:
        return header_fields.mailbox(recipient.email).decode()
    except header_fields.HeaderFieldError as error:
        raise NotSent(f"The address of {recipient} cannot be written to: {error}") from None


def _refuse_untaken(outcomes: Sequence[Outcome], to: Sequence[User]) -> None:
    untaken = [outcome for outcome in outcomes if outcome.state != "sent"]
    if not outcomes:
        raise NotSent("The mail server did not take it: nothing was answered")
    if untaken:
        names = ", ".join(str(to[outcome.delivery]) for outcome in untaken)
        raise NotSent(f"The mail server did not take it for {names}: {untaken[0].words}")
