"""One act of asking, giving or taking back; append-only, without personal data."""

import pgtrigger
from django.db import models

from registrants.models.mailing_list import MailingList
from registrants.models.registrant import Registrant
from registrants.models.scope import Scoped
from registrants.models.wording import Purpose, Wording


class ConsentEvent(models.Model):
    """Who was asked what, when, in which words, and what they said."""

    CLIENT_PATH = "registrant__client"

    class Act(models.TextChoices):
        """What happened."""

        ASKED = "asked", "asked"
        GIVEN = "given", "given"
        WITHDRAWN = "withdrawn", "withdrawn"
        PAUSED = "paused", "paused"
        RESUMED = "resumed", "resumed"

    class Means(models.TextChoices):
        """By which door it came."""

        FORM = "form", "sign-up form"
        CONFIRM_PAGE = "confirm_page", "confirm page"
        ONE_CLICK = "one_click", "one-click unsubscribe"
        PREFERENCES = "preferences", "preferences page"
        CHOICES_PAGE = "choices_page", "page by mailed link"
        NOT_ME = "not_me", "this was not me"
        COMPLAINT = "complaint", "complaint"
        BOUNCE = "bounce", "bounce"
        STAFF = "staff", "staff"
        ERASURE = "erasure", "erasure"
        DEMO = "demo", "demo data"

    registrant = models.ForeignKey(
        Registrant, on_delete=models.DO_NOTHING, related_name="consent_events"
    )
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    mailing_list = models.ForeignKey(MailingList, on_delete=models.DO_NOTHING, null=True)
    act = models.CharField(max_length=10, choices=Act.choices)
    means = models.CharField(max_length=20, choices=Means.choices)
    wording = models.ForeignKey(Wording, on_delete=models.DO_NOTHING, null=True)
    answers = models.ForeignKey(
        "self", on_delete=models.DO_NOTHING, null=True, related_name="answered_by"
    )
    asked_with = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="together",
        help_text="the first ask of one form; one letter confirms them all",
    )
    mailing = models.BigIntegerField(null=True, help_text="the mailing it came through, if any")
    staff = models.BigIntegerField(null=True, help_text="who acted, where staff did")
    at = models.DateTimeField(auto_now_add=True)

    objects = Scoped.as_manager()

    class Meta:
        verbose_name = "consent event"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose="list", mailing_list__isnull=False)
                | (~models.Q(purpose="list") & models.Q(mailing_list=None)),
                name="consent_event_list_when_list",
            )
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.act} at {self.at:%Y-%m-%d %H:%M}"
