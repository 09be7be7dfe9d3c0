"""What stands beside the form of a sender: is it stopped, how fast it goes, what to know of it."""

import zoneinfo

from django.utils.timezone import now

from newsletter import pace
from newsletter.admin.warm_up import ramp_chart
from newsletter.models import Sender
from newsletter.senders import failover, warm_up
from newsletter.senders.provider_catalogue import PROVIDERS, Capability, checklist


def panel(sender: Sender) -> dict[str, object]:
    """Return what the page of a saved sender shows beside its form."""
    reading = pace.snapshots([sender.pk])[sender.pk]
    zone = zoneinfo.ZoneInfo(sender.client.time_zone)
    plan = warm_up.plan(sender)
    return {
        "sender": sender,
        "zone": sender.client.time_zone,
        "reading": reading,
        "is_stopped": sender.stopped_at is not None,
        "rests": bool(reading.stopped_until)
        or any(
            receiver.stopped_until or receiver.connections is not None
            for receiver in reading.receivers
        ),
        "chain": [(member, _leaves_by(member)) for member in failover.chain(sender)],
        "checks": checks(sender),
        "provider": provider_label(sender),
        "chart": plan and ramp_chart(plan, now().astimezone(zone).date(), reading.warm_up_count),
        "quiet_until": pace.quiet_until(sender, now()),
    }


def checks(sender: Sender) -> list[Capability]:
    """Return what a person must know before mail leaves by a sender's provider, worst first."""
    if sender.transport != Sender.Transport.PROVIDER:
        return []
    return checklist(sender.provider) if sender.provider in PROVIDERS else []


def provider_label(sender: Sender) -> str:
    """Return how a sender's provider is called; empty where it has none."""
    if sender.transport != Sender.Transport.PROVIDER:
        return ""
    known = PROVIDERS.get(sender.provider)
    return known.label if known else sender.provider


def _leaves_by(sender: Sender) -> str:
    """Say by which server the mail of a sender leaves."""
    if sender.transport == Sender.Transport.SMTP:
        return f"{sender.host}:{sender.port}"
    return provider_label(sender) or "the installation's mail server"
