"""Drafts: how one is copied from what went before."""

from django.db import transaction

from accountability import audit
from newsletter.mailings.source import WRITTEN
from newsletter.models import Mailing


@transaction.atomic
def duplicate(*, mailing: Mailing, staff: int | None) -> Mailing:
    """Make a new draft with the content of a mailing, whatever became of that one."""
    copy = Mailing(
        **{name: getattr(mailing, name) for name in ("kind", "client", *WRITTEN)}, created_by=staff
    )
    copy.save()
    audit.record(act="duplicate", subject=copy, staff=staff, client=copy.client_id, of=mailing.pk)
    return copy
