"""The staff page of senders: who mail comes from, and by which server it leaves."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget

from accountability.roles import Right
from newsletter.models import Sender
from registrants.staff_pages import ScopedFilter, StaffPage

WHERE_THE_PASSWORD_GOES = ("transport", "host", "port", "security", "username")


class SenderForm(forms.ModelForm):  # type: ignore[type-arg]
    """A sender; its password can be written, and is never shown again."""

    new_password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="never shown again; left empty, the one kept so far stays",
    )

    class Meta:
        model = Sender
        fields = [
            "client", "name", "is_default", "from_name", "from_address", "reply_to", "transport",
            "host", "port", "security", "username", "connections", "bounce_domain",
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Ask for the password again where it would go to another server, or in the clear."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("transport") == Sender.Transport.SMTP and not cleaned.get("host"):
            self.add_error("host", "Name the mail server this sender uses.")
        moved = set(WHERE_THE_PASSWORD_GOES) & set(self.changed_data)
        if self.instance.password and moved and not cleaned.get("new_password"):
            self.add_error(
                "new_password",
                "The server has changed: type the password again, so that the one kept does not"
                " go somewhere it was not meant for.",
            )
        return cleaned

    def save(self, commit: bool = True) -> Any:
        """Keep the password where none was typed; forget it with the server of its own."""
        if self.cleaned_data.get("new_password"):
            self.instance.password = self.cleaned_data["new_password"]
        if self.cleaned_data.get("transport") == Sender.Transport.INSTALLATION:
            self.instance.password = ""
        return super().save(commit)


@admin.register(Sender)
class SenderPage(StaffPage):
    """Set up a sender; campaigns of its client alone can use it."""

    form = SenderForm
    right = Right.SETTINGS
    list_display = ["name", "from_name", "from_address", "client", "transport", "is_default"]
    list_filter = [("client", ScopedFilter)]
    list_select_related = ["client"]
    search_fields = ["name", "from_address"]
    fieldsets = [
        (None, {"fields": ["client", "name", "is_default"]}),
        ("What readers see", {"fields": ["from_name", "from_address", "reply_to"]}),
        (
            "How mail leaves",
            {
                "fields": [
                    "transport", "host", "port", "security", "username", "new_password",
                    "connections", "bounce_domain",
                ]
            },
        ),
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep a sender with its client."""
        return ["client"] if obj else []
