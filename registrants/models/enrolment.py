"""One person signed up for one service."""

from django.db import models

from registrants.models.registrant import Registrant
from registrants.models.scope import Scoped
from registrants.models.service import Service


class Enrolment(models.Model):
    """From when to when a registrant was signed up for a service."""

    CLIENT_PATH = "service__client"

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="enrolments")
    registrant = models.ForeignKey(
        Registrant, on_delete=models.DO_NOTHING, related_name="enrolments"
    )
    enrolled_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = Scoped.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "registrant"], name="enrolled_once")
        ]

    def __str__(self) -> str:
        return f"{self.registrant_id} in {self.service_id}"
