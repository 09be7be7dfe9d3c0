"""The personal side of a consent event; retention and erasure may delete it."""

from django.db import models

from registrants.models.consent_event import ConsentEvent
from registrants.models.scope import Scoped


class ConsentEvidence(models.Model):
    """From where and with what an act of consent was done."""

    CLIENT_PATH = "event__registrant__client"

    event = models.OneToOneField(
        ConsentEvent, on_delete=models.DO_NOTHING, related_name="evidence", primary_key=True
    )
    address = models.CharField(max_length=254, blank=True)
    ip = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=400, blank=True, help_text="the User-Agent said")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Scoped.as_manager()

    class Meta:
        verbose_name_plural = "consent evidence"

    def __str__(self) -> str:
        return f"evidence of {self.event_id}"
