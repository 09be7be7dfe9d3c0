"""A mailing sent to its own staff to look at, before anybody else gets it."""

from email import policy
from email.message import EmailMessage
from email.utils import formataddr, make_msgid

from django.contrib.auth.models import User
from django.utils.crypto import get_random_string

from newsletter.content.errors import SourceErrors
from newsletter.models import Mailing
from newsletter.rendering import mime
from newsletter.rendering.visible_text import inert_text
from newsletter.review.previewing import Preview, person, render
from newsletter.senders import routing
from newsletter.transports import Message, Unavailable
from registrants.models import Registrant


class NotSent(Exception):
    """A test could not be sent; says why."""


def send_test(mailing: Mailing, staff: User, registrant: Registrant | None = None) -> None:
    """Send a mailing to the signed-in person's own address at once, its links inert.

    Raises NotSent where they have no address, it cannot be rendered, or the server says no.
    """
    if not staff.email:
        raise NotSent("Your account has no e-mail address; ask an administrator to add it.")
    try:
        made = render(mailing, registrant or person(mailing), staff.email)
    except SourceErrors as refused:
        raise NotSent(str(refused)) from refused
    message = _test_message(mailing, made, staff.email)
    try:
        wire = routing.opened(routing.wire_settings(mailing.sender))
        try:
            outcomes = list(wire.send([message]))
        finally:
            wire.close()
    except (Unavailable, ValueError) as away:
        raise NotSent(f"The mail server cannot be used: {away}") from away
    if not outcomes or outcomes[0].state != "sent":
        reply = outcomes[0].words if outcomes else "nothing was answered"
        raise NotSent(f"The mail server did not take it: {reply}")


def _test_message(mailing: Mailing, made: Preview, address: str) -> Message:
    sender = mailing.sender
    mail = EmailMessage(policy.SMTP)
    mail["From"] = formataddr((sender.from_name, sender.from_address))
    mail["To"] = address
    mail["Subject"] = f"[Test] {made.subject}"
    mail["Date"] = mime.now().decode()
    mail["Message-ID"] = make_msgid(get_random_string(12), mailing.client.domain)
    note = "This is a test. Its links lead nowhere.\n\n"
    mail.set_content(note + inert_text(made.text))
    mail.add_alternative(made.html, subtype="html")
    return Message(0, sender.from_address, address, mail.as_bytes())
