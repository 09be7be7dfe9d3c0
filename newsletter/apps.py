"""Django's entry for this package."""

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    """Newsletter: what belongs here says docs/architecture.md, "The rooms"."""

    name = "newsletter"
    verbose_name = "Newsletter"
