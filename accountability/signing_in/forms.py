"""The form of signing in: Django's, with limits before a password is looked at."""

from django import forms
from django.contrib.auth import get_user_model
from unfold.forms import AuthenticationForm

from accountability import audit
from accountability.signing_in import limits


def wait_fault(seconds: int) -> forms.ValidationError:
    """Return what to say to somebody who has to wait."""
    return forms.ValidationError(
        f"Too many tries. Wait {limits.in_words(seconds)}, then try again: nobody is locked out.",
        code="wait",
        params={"seconds": seconds},
    )


class SignInForm(AuthenticationForm):
    """Name and password; a try is counted before the password is looked at."""

    def clean(self) -> dict[str, object]:
        """Let Django look at the password, where the limits allow it; a burst is in the trail."""
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not name or not password or self.request is None:
            return super().clean()
        if seconds := limits.seconds_to_wait(name, self.request):
            raise wait_fault(seconds)
        try:
            cleaned = super().clean()
        except forms.ValidationError:
            if limits.failed(name, self.request):
                self._note_a_siege(name)
            raise
        limits.succeeded(name, self.request)
        return cleaned

    def _note_a_siege(self, name: str) -> None:
        """Note whose name is being tried; a name nobody has is not kept: it may be a password."""
        person = get_user_model()._default_manager.filter(username=name).first()
        audit.record(act="sign-in-burst", subject=person, failures=limits.BESIEGED)


class PasswordAgainForm(forms.Form):
    """The password of who is signed in, once more."""

    password_again = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
