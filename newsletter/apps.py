"""Django's entry for this package."""

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    """Newsletter, as design.md §3 describes the room."""

    name = "newsletter"
    verbose_name = "Newsletter"
