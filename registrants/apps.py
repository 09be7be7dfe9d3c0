"""Django's entry for this package."""

from django.apps import AppConfig


class RegistrantsConfig(AppConfig):
    """Registrants, as design.md §3 describes the room."""

    name = "registrants"
    verbose_name = "Registrants"
