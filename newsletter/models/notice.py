"""A mailing to everyone enrolled in one service, whatever they opted out of."""

from typing import Any

from django.db import models

from newsletter.models.mailing import Mailing
from registrants.models.scope import Scoped


class NoticeManager(models.Manager.from_queryset(Scoped)):  # type: ignore[misc]
    """Sees notices alone."""

    def get_queryset(self) -> Scoped:
        """Return notices alone."""
        return super().get_queryset().filter(kind=Mailing.Kind.NOTICE)


class Notice(Mailing):
    """A mandatory service notice; never tracked, never convertible to a campaign."""

    objects = NoticeManager()  # type: ignore[misc]

    class Meta:
        proxy = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save as what it is: the kind is not anybody's to choose."""
        self.kind = Mailing.Kind.NOTICE
        super().save(*args, **kwargs)
