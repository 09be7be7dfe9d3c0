"""A step that failed unforeseen for one mailing, one client's letters or as a whole."""

from django.db import models
from django.db.models import Q

from newsletter.models.mailing import Mailing
from registrants.models import Client
from registrants.models.scope import Scoped


class SetAside(models.Model):
    """What is tried again later so that the others go on; gone as soon as a try comes through."""

    class Step(models.TextChoices):
        """What failed, in words that follow “of”."""

        START = "start", "starting at its time"
        STAGE = "stage", "staging"
        SEND = "send", "sending"
        CLOSE = "close", "closing what is cancelled"
        FINISH = "finish", "calling it sent"
        LETTERS = "letters", "sending letters"
        LETTER = "letter", "sending one letter"
        RECOVER = "recover", "freeing what a lost worker held"
        RECEIVERS = "receivers", "looking up mail servers"
        DRAIN = "drain", "noting opens and clicks"

    step = models.CharField(max_length=9, choices=Step.choices)
    client = models.ForeignKey(
        Client, on_delete=models.CASCADE, null=True, db_index=False, related_name="+"
    )
    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, null=True, related_name="set_aside"
    )
    letter = models.CharField(max_length=10, blank=True)
    number = models.BigIntegerField(null=True, help_text="the delivery, range or attempt, if one")
    reason = models.CharField(max_length=500)
    is_systems = models.BooleanField(
        default=False, help_text="the database or Redis broke off; it may be nobody's fault"
    )
    times = models.PositiveIntegerField(default=1)
    since = models.DateTimeField()
    last_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="when it is tried again")

    objects = Scoped.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["step", "mailing", "client", "letter", "number"],
                nulls_distinct=False,
                name="set_aside_once",
            ),
            models.CheckConstraint(
                condition=Q(mailing=None) | Q(letter=""), name="set_aside_mailing_or_letter"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()}: {self.reason}"
