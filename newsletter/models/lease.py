"""A range of deliveries a worker may hold for a while, with the count of how they ended."""

from typing import Final

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from newsletter.models.mailing import Mailing
from registrants.models import Client


class Lease(models.Model):
    """Up to 2,500 consecutive deliveries of one mailing, or one letter.

    It is open until none of its deliveries can still go; the attempt of the worker that holds it
    fences what that worker may settle.
    """

    class Lane(models.TextChoices):
        """Which worker serves it."""

        LETTERS = "letters", "letters"
        NOTICES = "notices", "notices"
        CAMPAIGNS = "campaigns", "campaigns"

    lane = models.CharField(max_length=9, choices=Lane.choices)
    mailing = models.ForeignKey(
        Mailing, on_delete=models.PROTECT, null=True, related_name="leases", db_index=False
    )
    client = models.ForeignKey(
        Client,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        db_index=False,
        help_text="whose letter it is",
    )
    letter = models.CharField(
        max_length=10, blank=True, db_default="", help_text="which letter it is"
    )
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    size = models.PositiveIntegerField()
    worker = models.CharField(max_length=80, blank=True)
    attempt = models.BigIntegerField(null=True)
    until = models.DateTimeField(null=True, help_text="after this the worker counts as lost")
    due_at = models.DateTimeField(default=now, db_default=Now())
    waits_for_person = models.BooleanField(
        default=False,
        db_default=False,
        help_text="nothing of it can go before a person decides on what is unknown",
    )
    closed_at = models.DateTimeField(null=True)
    sent = models.PositiveIntegerField(default=0, db_default=0)
    refused = models.PositiveIntegerField(default=0, db_default=0)
    failed = models.PositiveIntegerField(default=0, db_default=0)
    deferred = models.PositiveIntegerField(default=0, db_default=0)
    unknown = models.PositiveIntegerField(default=0, db_default=0)
    receivers = models.JSONField(
        null=True, help_text="receiving group → state → count, for what was on the wire"
    )
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(first__lte=models.F("last")), name="lease_range")
        ]
        indexes = [
            models.Index(
                fields=["lane", "mailing", "due_at"], condition=Q(closed_at=None), name="lease_open"
            ),
            models.Index(
                fields=["client", "letter", "due_at"],
                condition=Q(lane="letters", closed_at=None),
                name="lease_open_letters",
            ),
            models.Index(fields=["mailing", "first"], name="lease_of_mailing"),
        ]

    def __str__(self) -> str:
        return f"deliveries {self.first}–{self.last} of mailing {self.mailing_id}"


IS_UNDECIDED: Final = "state = 'unknown' AND decided_at IS NULL"
"""SQL: nobody knows the end of this delivery, and nobody has decided what to do about it."""


def join_deliveries(name: str, *, columns: str, where: str) -> str:
    """Return SQL that joins to each row of `lease` those of its deliveries in which `where` holds.

    Range by range along the primary key, never as a whole: "=" might have the planner take the
    index of mailings instead, which reads all of a million for each range, and so might a join it
    may turn round (OFFSET 0).
    """
    return f"""CROSS JOIN LATERAL (
    SELECT {columns} FROM newsletter_delivery
    WHERE id BETWEEN lease.first AND lease.last
      AND mailing_id IS NOT DISTINCT FROM lease.mailing_id AND {where}
    OFFSET 0) AS {name}"""
