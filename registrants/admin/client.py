"""The staff page of clients: who mail is sent for, and what stands in their mail."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accountability.roles import Right
from registrants.models import Client
from registrants.staff_pages import StaffPage


@admin.register(Client)
class ClientPage(StaffPage):
    """Set up a client; only a superuser makes a new one, for it raises a new wall."""

    right = Right.SETTINGS
    list_display = ["name", "domain", "time_zone", "is_on_hold"]
    search_fields = ["name", "domain"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "postal_address", "privacy_url"]}),
        ("Mail", {"fields": ["domain", "link_host", "time_zone", "locale", "attribute_names"]}),
        ("Acceptable use", {"fields": ["on_hold_at"]}),
    ]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers alone add a client."""
        return bool(getattr(request.user, "is_superuser", False))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the hold out of the client's own hands."""
        return [] if getattr(request.user, "is_superuser", False) else ["on_hold_at"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """Fill the slug from the name while a client is new; later it stands in links."""
        return {} if obj else dict(self.prepopulated_fields)

    @admin.display(boolean=True, description="on hold")
    def is_on_hold(self, client: Client) -> bool:
        """Tell whether campaigns of this client are held back."""
        return client.on_hold_at is not None
