"""Django's entry for this package."""

from django.apps import AppConfig


class AccountabilityConfig(AppConfig):
    """Who did what and who may look."""

    name = "accountability"
    verbose_name = "Accountability"

    def ready(self) -> None:
        """Have sign-ins limited, and remember when a password was given."""
        from django.contrib.admin import site

        from accountability.signing_in import forms, sessions

        site.login_form = forms.SignInForm
        sessions.listen()
