"""A small mail to whoever sets up a sender: the talk with its server, and what DNS says of it."""

import secrets
from dataclasses import dataclass, field, replace
from typing import Final

from newsletter import links
from newsletter.content import header_fields
from newsletter.models import Sender
from newsletter.receivers import sender_records
from newsletter.receivers.sender_records import DnsVerdict
from newsletter.rendering import mime
from newsletter.senders import routing
from newsletter.transports import (
    Message,
    SmtpSettings,
    SmtpTransport,
    Timeouts,
    Transport,
    Unavailable,
)
from newsletter.transports.recorded import Conversation, RecordedWire
from registrants import domains

TRIAL_TIMEOUTS: Final = Timeouts(connect=4, command=8, end_of_data=15)
"""Somebody waits for the page."""
_ADVICE: Final = (
    ("sign-in", "Look at user name and password; many servers want a password made for programs."),
    ("AUTH", "This server takes no sign-in this way: empty the user name, or choose STARTTLS or"
     " TLS, behind which it may offer one."),
    ("certificate", "The name typed as the host is not the one the server proves: write the name"
     " its provider gives."),
    ("STARTTLS", "Choose TLS from the start, usually port 465, or another port."),
    ("no TLS", "Host, port and protection do not fit together: 587 goes with STARTTLS, 465 with"
     " TLS from the start."),
    ("unknown host", "Look at the spelling of the host."),
    ("cannot connect", "Nobody listens there: look at host and port, and at the firewall."),
    ("no answer", "Nobody answers there: look at host and port, and at the firewall."),
    ("HEED_ALLOWED_PRIVATE_HOSTS", "Name a server on the internet, or ask the owner."),
    ("not SMTP", "Something else than a mail server answers there: look at the port."),
)  # fmt: skip


@dataclass
class SenderTrial:
    """How a trial went: whether the mail was taken, why not and what to do, and every line."""

    is_taken: bool
    outcome: str
    advice: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    records: list[DnsVerdict] = field(default_factory=list)


def send_trial(sender: Sender, address: str, *, selector: str = "") -> SenderTrial:
    """Send a small mail by a sender's own server and look its domains up; never raises for either.

    A sender that was stopped is tried too: that is how one finds out whether it is mended.
    """
    try:
        message = _message(sender, header_fields.mailbox(address).decode())
    except header_fields.HeaderFieldError as fault:
        return SenderTrial(False, f"It cannot be written: {fault}.", "Mend the fields of the form.")
    if wrong := routing.settings_fault(sender):
        trial = SenderTrial(False, f"It cannot be sent: {wrong[1]}.", "Mend it in the form.")
    else:
        trial = _sent(sender, message)
    strange = domains.fault(sender.client, sender.from_address)
    trial.advice = f"{trial.advice} {strange}".strip()
    bounce_domain = message.envelope_from.rpartition("@")[2]
    from_domain = header_fields.mailbox(sender.from_address).decode().rpartition("@")[2]
    trial.records = sender_records.look_up(from_domain, bounce_domain, selector)
    return trial


def _sent(sender: Sender, message: Message) -> SenderTrial:
    wanted = replace(routing.wire_settings(sender), connections=1)
    conversation: Conversation | None = None
    transport: Transport
    if isinstance(wanted, SmtpSettings):
        wanted = replace(wanted, timeouts=TRIAL_TIMEOUTS)
        kept = conversation = Conversation(wanted)
        transport = SmtpTransport(wanted, wire=lambda where: RecordedWire(where, kept))
    else:
        wanted = replace(wanted, connect=TRIAL_TIMEOUTS.connect, read=TRIAL_TIMEOUTS.end_of_data)
        transport = routing.opened(wanted)
    try:
        [outcome] = transport.send([message])
    except (Unavailable, ValueError) as away:
        reason = str(away)
        advice = next((advice for mark, advice in _ADVICE if mark in reason), "")
        trial = SenderTrial(False, f"It could not be sent: {reason}.", advice)
    else:
        answer = " ".join(filter(None, (str(outcome.code or ""), outcome.enhanced, outcome.words)))
        trial = SenderTrial(outcome.state == "sent", f"{outcome.state}: {answer}")
        if not trial.is_taken:
            trial.advice = (
                "The server was reached and did not take the mail: see whether it lets this user"
                f" send from {sender.from_address}."
            )
    finally:
        transport.close()
    trial.lines = conversation.lines if conversation else []
    return trial


def _message(sender: Sender, address: str) -> Message:
    """Return the trial mail; raises HeaderFieldError."""
    from_name, from_address = sender.from_name, sender.from_address
    domain = header_fields.return_domain(sender.envelope_domain)
    head = [
        b"From: " + header_fields.sender(from_name, from_address),
        b"To: " + address.encode(),
        b"Subject: " + mime.subject(header_fields.one_line(f"Trial mail of {sender.name}")),
        b"Date: " + mime.now(),
        f"Message-ID: <{secrets.token_hex(16)}@{domain}>".encode(),
        b"MIME-Version: 1.0",
        b"Content-Type: text/plain; charset=us-ascii",
        b"Content-Transfer-Encoding: 7bit",
        b"Auto-Submitted: auto-generated",
    ]
    body = b"This is a trial mail: the sender it names can send.\r\n"
    data = b"\r\n".join(head) + b"\r\n\r\n" + body
    bounces_to = links.bounce_of_a_test(domain)
    return Message(0, bounces_to, address, data, True, from_name=from_name)
