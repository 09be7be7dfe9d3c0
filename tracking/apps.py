"""Django's entry for this package."""

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    """Tracking, as design.md §3 describes the room."""

    name = "tracking"
    verbose_name = "Tracking"
