"""A mailing as its report sees it: only what has been started."""

from typing import ClassVar, cast

from newsletter.models import Mailing
from registrants.models.scope import Scoped, ScopedManager


class ReportManager(ScopedManager):
    """Sees what has been started, of both kinds."""

    def get_queryset(self) -> Scoped:
        """Return mailings that have been started."""
        return cast(Scoped, super().get_queryset().filter(started_at__isnull=False))


class Report(Mailing):
    """What became of a mailing."""

    objects: ClassVar[ReportManager] = ReportManager()

    class Meta:
        proxy = True
