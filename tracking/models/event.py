"""What came back for one delivery, in anymail's words; noted once."""

from django.db import models

from newsletter.models import Delivery, Link, Mailing


class Event(models.Model):
    """One thing that happened; `key` makes noting it twice the same as once (B-8)."""

    CLIENT_PATH = "mailing__client"

    class Kind(models.TextChoices):
        """anymail's event types, as far as something notes them."""

        OPENED = "opened", "opened"
        CLICKED = "clicked", "clicked"
        UNSUBSCRIBED = "unsubscribed", "unsubscribed"

    key = models.UUIDField(unique=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, db_constraint=False, related_name="events"
    )
    mailing = models.ForeignKey(
        Mailing,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="events",
    )
    link = models.ForeignKey(
        Link, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["mailing", "kind", "at"],
                include=["delivery", "link"],
                name="event_of_mailing_counted",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"
