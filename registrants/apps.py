"""Django's entry for this package."""

from django.apps import AppConfig


class RegistrantsConfig(AppConfig):
    """Registrants: what belongs here says docs/architecture.md, "The rooms"."""

    name = "registrants"
    verbose_name = "Registrants"

    def ready(self) -> None:
        """Have the key watched that this package writes with."""
        from accountability import key_fingerprints
        from registrants import address_key

        key_fingerprints.register(address_key.OF_ADDRESSES)
