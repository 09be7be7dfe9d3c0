"""The staff page of domains: what the owner allows to whom, and what administrators may choose."""

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.decorators import display

from accountability.roles import Right
from registrants import domains
from registrants.models import ClientDomain
from registrants.models.client_domain import as_allowed
from registrants.scoped_admin import ScopedFilter, StaffPage


class ClientDomainForm(forms.ModelForm):
    """A domain and the one client it is allowed to."""

    def clean_name(self) -> str:
        """Return the domain as it is kept."""
        return as_allowed(self.cleaned_data["name"])

    def clean(self) -> dict[str, object]:
        """Refuse what is another client's, above or below it too."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("client") and cleaned.get("name"):
            try:
                domains.refuse_anothers(cleaned["client"].pk, cleaned["name"])
            except forms.ValidationError as fault:
                self.add_error("name", fault)
        return cleaned


@admin.register(ClientDomain)
class ClientDomainPage(StaffPage):
    """Allow a domain to a client, or withdraw it: the owner alone; administrators look."""

    form = ClientDomainForm
    right = Right.SETTINGS
    may_change = False
    may_delete = True
    list_display = ["name", "client", "allowed_at", "by", "state"]
    list_filter = [("client", ScopedFilter)]
    list_select_related = ["client"]
    search_fields = ["name"]
    fields = ["client", "name"]

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let the owner alone allow a domain."""
        return bool(getattr(request.user, "is_superuser", False))

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let the owner alone withdraw one."""
        return self.has_add_permission(request)

    @admin.display(description="allowed by")
    def by(self, row: ClientDomain) -> str:
        """Show who allowed it."""
        if row.allowed_by is None:
            return "in use before"
        staff = get_user_model().objects.filter(pk=row.allowed_by).first()
        return str(staff or f"staff {row.allowed_by}")

    @display(description="state", label={"allowed": "success", "two clients": "danger"})
    def state(self, row: ClientDomain) -> tuple[str, str]:
        """Show where two clients use one domain."""
        label = "two clients" if row.is_contested else "allowed"
        return label, label

    def save_model(
        self, request: HttpRequest, obj: ClientDomain, form: ModelForm, change: bool
    ) -> None:
        """Note who allowed it."""
        obj.allowed_by = request.user.pk
        super().save_model(request, obj, form, change)

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: ClientDomain) -> None:
        """Withdraw it; what another client has at the same place is no longer contested."""
        super().delete_model(request, obj)
        domains.settle()
