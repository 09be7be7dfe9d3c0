"""A person registered with one client."""

from django.db import models

from registrants.models.client import Client
from registrants.models.scope import Scoped


class Choice(models.TextChoices):
    """What a person said about being measured; unknown means no."""

    UNKNOWN = "unknown", "not asked"
    GRANTED = "granted", "granted"
    DENIED = "denied", "denied"


class Registrant(models.Model):
    """A person, by address, with their choices on measuring."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="registrants")
    address = models.CharField(max_length=254, blank=True)
    address_hash = models.BinaryField(max_length=32, null=True, editable=False)
    name = models.CharField(max_length=120, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    opens = models.CharField(max_length=8, choices=Choice.choices, default=Choice.UNKNOWN)
    clicks = models.CharField(max_length=8, choices=Choice.choices, default=Choice.UNKNOWN)
    restricted_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Scoped.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["client", "address_hash"], name="registrant_once"),
            models.CheckConstraint(
                condition=models.Q(opens__in=Choice.values) & models.Q(clicks__in=Choice.values),
                name="registrant_known_choices",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at=None, address_hash__isnull=False)
                | models.Q(
                    erased_at__isnull=False, address="", address_hash=None, name="", attributes={}
                ),
                name="registrant_erased_is_empty",
            ),
        ]

    def __str__(self) -> str:
        return self.address or f"erased registrant {self.pk}"
