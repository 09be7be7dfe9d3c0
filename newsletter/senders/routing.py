"""Which wire a sender's mail leaves by; kept open from task to task."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never, cast

from django.conf import settings

from newsletter.models import Sender
from newsletter.transports import SmtpSettings, SmtpTransport, Timeouts, Transport
from newsletter.transports.reach import Guard
from newsletter.transports.settings import Security, SettingsError

if TYPE_CHECKING:
    from newsletter.transports.providers import ProviderSettings

# Shorter than a task may run (config.celery), so that a hung server never outlives its task.
SENDING_TIMEOUTS = Timeouts(connect=5, command=30, end_of_data=200)

_FIELDS = frozenset({"host", "port", "security", "username", "password", "connections"})

_kept: dict[tuple[int, int | None], tuple[object, Transport]] = {}


def wire_settings(sender: Sender) -> "SmtpSettings | ProviderSettings":
    """Return where a sender's mail goes and how; raises ValueError for what cannot work."""
    match Sender.Transport(sender.transport):
        case Sender.Transport.PROVIDER:
            return _provider(sender)
        case Sender.Transport.INSTALLATION:
            return _installation()
        case Sender.Transport.SMTP:
            return _own_server(sender)
        case other:
            assert_never(other)


def _provider(sender: Sender) -> "ProviderSettings":
    from newsletter.transports.providers import provider_settings

    typed = json.loads(sender.credentials or "{}")
    made = provider_settings(sender.provider, typed)
    return replace(made, connections=sender.connections, guard=_guard())


def _installation() -> SmtpSettings:
    installation = SmtpSettings.from_url(settings.EMAIL_URL)
    if installation.timeouts != Timeouts():
        return installation
    return replace(installation, timeouts=SENDING_TIMEOUTS)


def settings_fault(sender: Sender) -> tuple[str, str] | None:
    """Return which field keeps a sender from sending and why; None where none does.

    The form, the checks and the wire ask alike; what the server thinks of it is another matter.
    """
    try:
        wire_settings(sender)
    except SettingsError as fault:
        field = fault.setting if fault.setting in _FIELDS else "host"
        return (field if sender.transport == Sender.Transport.SMTP else "transport", str(fault))
    except ValueError as fault:
        return "transport", str(fault)
    return None


def _own_server(sender: Sender) -> SmtpSettings:
    return SmtpSettings(
        host=sender.host,
        port=sender.port,
        security=cast(Security, sender.security),
        username=sender.username,
        password=sender.password,
        connections=sender.connections,
        timeouts=SENDING_TIMEOUTS,
        guard=_guard(),
    )


def _guard() -> Guard:
    """Return what a host that staff typed may lead to; EMAIL_URL, the owner's word, needs none."""
    return Guard.from_text(settings.ALLOWED_PRIVATE_HOSTS)


def wire(
    sender: Sender, *, receiver: int | None = None, connections: int | None = None
) -> Transport:
    """Return the transport of a sender, connected anew only where its settings have changed.

    With a receiver it is one for that receiver alone, with so many connections.
    """
    wanted = wire_settings(sender)
    if connections is not None:
        wanted = replace(wanted, connections=min(connections, wanted.connections))
    known = _kept.get((sender.pk, receiver))
    if known is not None and known[0] == wanted:
        return known[1]
    if known is not None:
        known[1].close()
    transport = opened(wanted)
    _kept[sender.pk, receiver] = (wanted, transport)
    return transport


def opened(wanted: "SmtpSettings | ProviderSettings") -> Transport:
    """Return a transport of its own, to be closed by the caller."""
    if isinstance(wanted, SmtpSettings):
        return SmtpTransport(wanted)
    # Not before somebody uses one: the providers' libraries take 30 MB of memory.
    from newsletter.transports.providers import ProviderTransport

    return ProviderTransport(wanted)


def close_all() -> None:
    """Say goodbye to every mail server this process keeps a connection to."""
    while _kept:
        _, (_, transport) = _kept.popitem()
        transport.close()
