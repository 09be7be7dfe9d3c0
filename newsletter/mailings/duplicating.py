"""Drafts: how one is copied from what went before."""

from django.db import transaction

from accountability import audit
from newsletter.models import Mailing

KEPT = ("kind", "client", "sender", "mailing_list", "service", "template", "subject",
        "preheader", "body_format", "body", "reason")  # fmt: skip


@transaction.atomic
def duplicate(*, mailing: Mailing, staff: int | None) -> Mailing:
    """Make a new draft with the content of a mailing, whatever became of that one."""
    copy = Mailing(**{name: getattr(mailing, name) for name in KEPT}, created_by=staff)
    copy.save()
    audit.record(act="duplicate", subject=copy, staff=staff, client=copy.client_id, of=mailing.pk)
    return copy
