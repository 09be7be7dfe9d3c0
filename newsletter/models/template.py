"""The layout around a body: the client's identity, postal address and footer."""

from django.db import models

from newsletter.formats import LayoutFormat
from registrants.models import Client
from registrants.models.scope import Scoped


class Template(models.Model):
    """A layout in MJML or HTML with a place for the content."""

    class Format(models.TextChoices):
        """How the layout is written."""

        MJML = LayoutFormat.MJML, "MJML"
        HTML = LayoutFormat.HTML, "HTML"

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="templates")
    name = models.CharField(max_length=80)
    format = models.CharField(max_length=4, choices=Format.choices, default=Format.MJML)
    source = models.TextField(
        help_text="must name {{ content }}, {{ client.postal_address }}, {{ unsubscribe_url }}"
    )
    updated_at = models.DateTimeField(auto_now=True)

    objects = Scoped.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["client", "name"], name="template_name_once")
        ]

    def __str__(self) -> str:
        return self.name
