"""An address that must not be mailed, and why; a keyed hash, so it outlives the person's record."""

import pgtrigger
from django.db import models
from django.db.models import Q

from registrants.models.client import Client
from registrants.models.scope import Scoped


class Suppression(models.Model):
    """One reason not to mail one address, for one client or (client empty) for all."""

    class Reason(models.TextChoices):
        """Why an address is suppressed."""

        UNDER_13 = "under_13", "known to be under 13"
        ERASED = "erased", "erased on request"
        HARD_BOUNCE = "hard_bounce", "address does not exist"
        NEVER_MAIL = "never_mail", "never mail me"
        COMPLAINT = "complaint", "marked as spam"

    EVERYWHERE = ("under_13", "hard_bounce")

    address_hash = models.BinaryField(max_length=32)
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, null=True, blank=True, related_name="suppressions"
    )
    reason = models.CharField(max_length=12, choices=Reason.choices)
    evidence = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = Scoped.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address_hash", "client", "reason"],
                condition=Q(lifted_at=None),
                name="suppressed_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(reason__in=("under_13", "hard_bounce"), client=None)
                | Q(
                    reason__in=("erased", "never_mail", "complaint"),
                    client__isnull=False,
                ),
                name="suppression_scope",
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} ({self.client or 'everywhere'})"
