"""Which member of staff works for which client, and as what."""

from django.conf import settings
from django.db import models

from accountability.roles import Role
from registrants.models.client import Client
from registrants.models.scope import Scoped


class Assignment(models.Model):
    """Staff × client × role."""

    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignments"
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=20, choices=Role.choices)

    objects = Scoped.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["staff", "client", "role"], name="assigned_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="assignment_known_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff} as {self.get_role_display()} for {self.client}"
