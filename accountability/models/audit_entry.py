"""One act that mattered: who, what, when, on whose behalf; never changed, never deleted."""

import pgtrigger
from django.db import models


class AuditEntry(models.Model):
    """An act in the trail. It has no foreign keys and no personal data, so it outlives both."""

    at = models.DateTimeField(auto_now_add=True)
    staff = models.BigIntegerField(null=True, help_text="who acted; empty: the system or a reader")
    client = models.BigIntegerField(null=True, help_text="on whose behalf")
    act = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit trail"
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"], name="audit_client")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.act}"
