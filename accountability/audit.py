"""Record an act in the trail, in the transaction of the act itself."""

from django.db import models

from accountability.models import AuditEntry


def record(
    *,
    act: str,
    subject: models.Model | None,
    staff: int | None = None,
    client: int | None = None,
    **detail: object,
) -> AuditEntry:
    """Append one act to the trail; `detail` holds plain values and no personal data."""
    return AuditEntry.objects.create(
        act=act,
        staff=staff,
        client=client,
        subject_kind=(subject._meta.model_name or "") if subject else "",
        subject=subject.pk if subject else None,
        detail=detail,
    )
