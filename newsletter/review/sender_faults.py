"""What keeps mail from leaving under a sender: its settings, and domains that are another's."""

from collections.abc import Iterator

from newsletter.models import Mailing
from newsletter.senders import routing
from registrants import domains


def faults(mailing: Mailing) -> list[str]:
    """Return what an administrator has to mend before a mailing can leave; empty where nothing."""
    return list(dict.fromkeys(_faults(mailing)))


def _faults(mailing: Mailing) -> Iterator[str]:
    client, sender = mailing.client, mailing.sender
    names = (sender.from_address, sender.envelope_domain, client.link_host)
    for name in names if not mailing.compiled else ():  # what is frozen was looked at before
        if name and (reason := domains.fault(client, name)):
            yield reason
    if wrong := routing.settings_fault(sender):
        yield (
            f"No mail can leave by “{sender.name}”: {wrong[1]}."
            " An administrator mends it on the sender's page."
        )
