"""Django's entry for this package."""

from django.apps import AppConfig


class AccountabilityConfig(AppConfig):
    """Who did what and who may look."""

    name = "accountability"
    verbose_name = "Accountability"
