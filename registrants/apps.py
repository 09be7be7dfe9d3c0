"""Django's entry for this package."""

from django.apps import AppConfig


class RegistrantsConfig(AppConfig):
    """Registrants: what belongs here says docs/architecture.md, "The rooms"."""

    name = "registrants"
    verbose_name = "Registrants"
