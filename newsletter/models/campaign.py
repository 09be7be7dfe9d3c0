"""A mailing to one list; people on it said yes to that list."""

from typing import Any

from django.db import models

from newsletter.models.mailing import Mailing
from registrants.models.scope import Scoped


class CampaignManager(models.Manager.from_queryset(Scoped)):  # type: ignore[misc]
    """Sees campaigns alone."""

    def get_queryset(self) -> Scoped:
        """Return campaigns alone."""
        return super().get_queryset().filter(kind=Mailing.Kind.CAMPAIGN)


class Campaign(Mailing):
    """A newsletter issue."""

    objects = CampaignManager()  # type: ignore[misc]

    class Meta:
        proxy = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save as what it is: the kind is not anybody's to choose."""
        self.kind = Mailing.Kind.CAMPAIGN
        super().save(*args, **kwargs)
