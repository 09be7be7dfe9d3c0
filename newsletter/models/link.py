"""One link of one mailing: the stored target a click may lead to."""

from django.db import models
from django.db.models import Q

from newsletter.models.mailing import Mailing


class Link(models.Model):
    """A target by position in the HTML; a click token names it by id (below 2**24)."""

    CLIENT_PATH = "mailing__client"

    mailing = models.ForeignKey(Mailing, on_delete=models.PROTECT, related_name="links")
    position = models.PositiveSmallIntegerField()
    url = models.TextField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["mailing", "position"], name="link_position_once"),
            models.CheckConstraint(condition=Q(id__lt=1 << 24), name="link_fits_its_token"),
        ]

    def __str__(self) -> str:
        return self.url
