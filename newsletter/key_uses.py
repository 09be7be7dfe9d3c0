"""The keys of secrets and of links, and what there is that only they can read."""

from datetime import timedelta
from functools import partial

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db.models import TextField
from django.db.models.functions import Cast

from accountability.key_fingerprints import KeySpan, KeyUse
from newsletter.encryption import EncryptedField, opened
from newsletter.models import Delivery, Sender

OVERLAP = timedelta(days=1)
"""For so long after a new version came, a process that was not started again may use the old."""


def _unreadable(*, empty: bool = False) -> int:
    """Count the secrets of senders that no key opens, and empty them where asked to."""
    names = [field.name for field in Sender._meta.get_fields() if isinstance(field, EncryptedField)]
    count = 0
    for name in names:
        rows = Sender.objects.annotate(raw=Cast(name, TextField())).exclude(raw="")
        for pk, raw in rows.values_list("pk", "raw").iterator():
            try:
                opened(raw)
            except InvalidToken:
                count += 1
                if empty:
                    Sender.objects.filter(pk=pk).update(**{name: ""})
    return count


def _secrets(span: KeySpan | None = None) -> str:
    count = _unreadable()
    return f"no key opens {count} of the senders' passwords" if count else ""


def _links(span: KeySpan) -> str:
    """Say whether mail was staged while a version made its links."""
    deliveries = Delivery.objects.all()
    if span.since is not None:
        deliveries = deliveries.filter(created_at__gte=span.since - OVERLAP)
    if span.until is not None:
        deliveries = deliveries.filter(created_at__lt=span.until + OVERLAP)
    return "links in mail that went out are signed with it" if deliveries.exists() else ""


OF_SECRETS = KeyUse(
    setting="HEED_SECRETS_KEYS",
    present=lambda: settings.SECRETS_KEYS,
    misfit=_secrets,
    needed=_secrets,
    give_up=partial(_unreadable, empty=True),
)
OF_LINKS = KeyUse(
    setting="HEED_LINK_KEYS",
    present=lambda: settings.LINK_KEYS,
    misfit=lambda: "",  # mail that went out is not kept, so nothing stored can prove it
    needed=_links,
    give_up=lambda: 0,
)
