"""The exact words shown when something was asked; versioned, never edited."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy

from registrants.models.client import Client
from registrants.models.mailing_list import MailingList
from registrants.models.scope import Scoped


class Purpose(models.TextChoices):
    """What a person can be asked to say yes to."""

    LIST = "list", gettext_lazy("a mailing list")
    OPENS = "opens", gettext_lazy("measuring opens")
    CLICKS = "clicks", gettext_lazy("measuring clicks")


class Wording(models.Model):
    """One version of the words that ask for one purpose of one client."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="wordings")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    mailing_list = models.ForeignKey(MailingList, on_delete=models.PROTECT, null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    locale = models.CharField(max_length=12, default="en")
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Scoped.as_manager()

    class Meta:
        ordering = ["purpose", "mailing_list", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "purpose", "mailing_list", "locale", "version"],
                name="wording_version_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(purpose="list", mailing_list__isnull=False)
                | (~models.Q(purpose="list") & models.Q(mailing_list=None)),
                name="wording_list_when_list",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_edited", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.purpose} v{self.version}"
