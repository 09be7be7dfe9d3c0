"""A stated purpose a person can say yes to."""

from django.db import models

from registrants.models.client import Client
from registrants.models.scope import Scoped


class MailingList(models.Model):
    """A newsletter of one client, with the purpose people are told."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="lists")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=40, help_text="in List-Id; stays when the name changes")
    purpose = models.CharField(
        max_length=300, help_text="what people get and how often, in one sentence they read"
    )
    is_public = models.BooleanField(default=True, help_text="offered on the sign-up page")
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Scoped.as_manager()

    class Meta:
        verbose_name = "mailing list"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["client", "slug"], name="list_slug_once"),
            models.UniqueConstraint(fields=["client", "name"], name="list_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
