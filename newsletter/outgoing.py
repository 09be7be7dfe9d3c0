"""Which wire a sender's mail leaves by; kept open in this process from task to task."""

from dataclasses import replace
from typing import cast

from django.conf import settings

from newsletter.models import Sender
from newsletter.transports import SmtpSettings, SmtpTransport, Timeouts, Transport
from newsletter.transports.settings import Security

# Shorter than a task may run (config.celery), so that a hung server never outlives its task.
PATIENCE = Timeouts(connect=5, command=30, end_of_data=200)

_kept: dict[int, tuple[SmtpSettings, Transport]] = {}


def wire_settings(sender: Sender) -> SmtpSettings:
    """Return where a sender's mail goes and how; raises ValueError for what cannot work."""
    if sender.transport == Sender.Transport.INSTALLATION:
        said = SmtpSettings.from_url(settings.EMAIL_URL)
        return replace(said, timeouts=PATIENCE) if said.timeouts == Timeouts() else said
    return SmtpSettings(
        host=sender.host,
        port=sender.port,
        security=cast(Security, sender.security),
        username=sender.username,
        password=sender.password,
        connections=sender.connections,
        timeouts=PATIENCE,
    )


def wire(sender: Sender) -> Transport:
    """Return the transport of a sender, connected anew only where its settings have changed."""
    wanted = wire_settings(sender)
    known = _kept.get(sender.pk)
    if known is not None and known[0] == wanted:
        return known[1]
    if known is not None:
        known[1].close()
    transport = SmtpTransport(wanted)
    _kept[sender.pk] = (wanted, transport)
    return transport


def close_all() -> None:
    """Say goodbye to every mail server this process keeps a connection to."""
    while _kept:
        _, (_, transport) = _kept.popitem()
        transport.close()
