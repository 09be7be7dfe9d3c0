"""Django's entry for this package."""

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    """Tracking: what belongs here says docs/architecture.md, "The rooms"."""

    name = "tracking"
    verbose_name = "Tracking"

    def ready(self) -> None:
        """Offer the report of a mailing on its own pages."""
        from django.urls import reverse

        from newsletter.mailings import extra_pages

        extra_pages.offer(
            "Read the report",
            lambda mailing: reverse("admin:tracking_report_change", args=[mailing.pk]),
        )
