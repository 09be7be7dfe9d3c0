"""Django's entry for this package."""

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    """Newsletter: what belongs here says docs/architecture.md, "The rooms"."""

    name = "newsletter"
    verbose_name = "Newsletter"

    def ready(self) -> None:
        """Have the keys watched that this package writes with."""
        from accountability import key_fingerprints
        from newsletter import key_uses

        key_fingerprints.register(key_uses.OF_SECRETS)
        key_fingerprints.register(key_uses.OF_LINKS)
