"""A mailing to one list; people on it said yes to that list."""

from typing import Any, ClassVar, cast

from newsletter.models.mailing import Mailing
from registrants.models.scope import Scoped, ScopedManager


class CampaignManager(ScopedManager):
    """Sees campaigns alone."""

    def get_queryset(self) -> Scoped:
        """Return campaigns alone."""
        return cast(Scoped, super().get_queryset().filter(kind=Mailing.Kind.CAMPAIGN))


class Campaign(Mailing):
    """A newsletter issue."""

    objects: ClassVar[CampaignManager] = CampaignManager()

    class Meta:
        proxy = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save as what it is: the kind is not anybody's to choose."""
        self.kind = Mailing.Kind.CAMPAIGN
        super().save(*args, **kwargs)
