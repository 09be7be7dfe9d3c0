"""A mailing to everyone enrolled in one service, whatever they opted out of."""

from typing import Any, ClassVar, cast

from newsletter.models.mailing import Mailing
from registrants.models.scope import Scoped, ScopedManager


class NoticeManager(ScopedManager):
    """Sees notices alone."""

    def get_queryset(self) -> Scoped:
        """Return notices alone."""
        return cast(Scoped, super().get_queryset().filter(kind=Mailing.Kind.NOTICE))


class Notice(Mailing):
    """A mandatory service notice; never tracked, never convertible to a campaign."""

    objects: ClassVar[NoticeManager] = NoticeManager()

    class Meta:
        proxy = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save as what it is: the kind is not anybody's to choose."""
        self.kind = Mailing.Kind.NOTICE
        super().save(*args, **kwargs)
