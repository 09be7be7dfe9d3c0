"""One mailing or letter to one registrant; the thread everything hangs on."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from newsletter.models.mailing import Mailing
from newsletter.models.receiver import Receiver
from registrants.models import Registrant
from registrants.models.scope import Scoped


class Delivery(models.Model):
    """The ledger's row. No index names a column that sending changes, so updates stay in the page.

    The foreign keys have no constraint in the database: it halves staging, and staging takes both
    from the rows themselves (limits measured; a test walks them).
    """

    CLIENT_PATH = "registrant__client"

    class State(models.TextChoices):
        """Where a delivery stands; staged, handing over, deferred and unknown are open."""

        STAGED = "staged", "staged"
        HANDING_OVER = "handing_over", "being handed over"
        SENT = "sent", "sent"
        REFUSED = "refused", "refused by the gate"
        FAILED = "failed", "failed"
        DEFERRED = "deferred", "deferred"
        UNKNOWN = "unknown", "unknown"

    class Letter(models.TextChoices):
        """The mails the system owes one person."""

        CONFIRM = "confirm", "please confirm"
        CHOICES = "choices", "your choices"

    mailing = models.ForeignKey(
        Mailing,
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="deliveries",
    )
    registrant = models.ForeignKey(
        Registrant,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="deliveries",
    )
    letter = models.CharField(max_length=10, choices=Letter.choices, blank=True)
    asked_by = models.BigIntegerField(null=True, help_text="what asked for the letter")
    state = models.CharField(max_length=12, choices=State.choices, default=State.STAGED)
    refusal = models.CharField(max_length=20, blank=True)
    attempt = models.BigIntegerField(null=True, help_text="the hand-over it was last part of")
    tries = models.PositiveSmallIntegerField(default=0)
    opens = models.BooleanField(default=False, help_text="went out with a pixel")
    clicks = models.BooleanField(default=False, help_text="went out with rewritten links")
    receiver = models.SmallIntegerField(
        choices=Receiver.choices, null=True, help_text="who received it, once it was on the wire"
    )
    code = models.PositiveSmallIntegerField(null=True, help_text="the server's reply code")
    answer = models.CharField(max_length=500, blank=True, help_text="the server's words")
    created_at = models.DateTimeField(default=now, db_default=Now())
    due_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True, help_text="an unknown one: accepted as it is")

    objects = Scoped.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "registrant"],
                condition=Q(mailing__isnull=False),
                name="delivered_once",
            ),
            models.UniqueConstraint(
                fields=["registrant", "letter", "asked_by"],
                condition=Q(mailing=None),
                name="letter_owed_once",
            ),
            models.CheckConstraint(
                condition=Q(mailing__isnull=False, letter="", asked_by=None)
                | (Q(mailing=None, asked_by__isnull=False) & ~Q(letter="")),
                name="delivery_of_mailing_or_letter",
            ),
            models.CheckConstraint(
                condition=Q(state="refused") & ~Q(refusal="") | ~Q(state="refused") & Q(refusal=""),
                name="delivery_refused_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}: {self.state}"
