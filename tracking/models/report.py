"""A mailing as its report sees it: only what has been started."""

from django.db import models

from newsletter.models import Mailing
from registrants.models.scope import Scoped


class ReportManager(models.Manager.from_queryset(Scoped)):  # type: ignore[misc]
    """Sees what has been started, of both kinds."""

    def get_queryset(self) -> Scoped:
        """Return mailings that have been started."""
        return super().get_queryset().filter(started_at__isnull=False)


class Report(Mailing):
    """What became of a mailing."""

    objects = ReportManager()  # type: ignore[misc]

    class Meta:
        proxy = True
