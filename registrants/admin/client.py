"""The staff page of clients: who mail is sent for, and what stands in their mail."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Field
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget

from accountability.roles import Right
from registrants import domains
from registrants.models import Client
from registrants.models.client import as_in_dns
from registrants.models.client_domain import as_allowed
from registrants.scoped_admin import StaffPage

HOSTS = ("domain", "link_host")
OUR_OWN = frozenset({"name", "address", "size", "first", "last"})


class NamesField(forms.CharField):
    """Names an author may write after `registrant.`, one a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: object) -> object:
        """Show the kept names line by line, and what was typed as it was typed."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the names typed, each once; raises ValidationError for what Liquid cannot say."""
        names = list(dict.fromkeys(re.split(r"[\s,]+", value.strip()))) if value else []
        for name in filter(None, names):
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) or name in OUR_OWN:
                raise forms.ValidationError(
                    f"“{name[:60]}” cannot be a name: small letters, digits and _, a letter first,"
                    f" at most 40, and none of {', '.join(sorted(OUR_OWN))}."
                )
        return [name for name in names if name]


class ClientForm(forms.ModelForm):
    """A client, its hosts as they stand in DNS and as the owner allowed them."""

    is_owner = False
    """Whether the owner of the installation fills it in, who allows what they write."""

    def clean_domain(self) -> str:
        """Return the domain as A-labels."""
        return as_in_dns(self.cleaned_data["domain"])

    def clean_link_host(self) -> str:
        """Return the host of links as A-labels."""
        return as_in_dns(self.cleaned_data["link_host"])

    def clean(self) -> dict[str, object]:
        """Refuse a host that is not allowed to this client; an empty one is none."""
        cleaned = super().clean() or self.cleaned_data
        for name in HOSTS:
            host = cleaned.get(name)
            if not host or name not in self.changed_data:
                continue
            if not self.is_owner:
                if fault := domains.fault(self.instance, host):
                    self.add_error(name, fault)
                continue
            try:
                domains.refuse_anothers(self.instance.pk, as_allowed(host))
            except forms.ValidationError as wrong:
                if not domains.is_allowed(self.instance, host):
                    self.add_error(name, wrong)
        return cleaned


class OwnersClientForm(ClientForm):
    """The same for the owner of the installation."""

    is_owner = True


@admin.register(Client)
class ClientPage(StaffPage):
    """Set up a client; only a superuser makes a new one, for it raises a new wall."""

    form = ClientForm
    right = Right.SETTINGS
    list_display = ["name", "domain", "time_zone", "is_on_hold"]
    search_fields = ["name", "domain"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "postal_address", "privacy_url"]}),
        ("Mail", {"fields": ["domain", "link_host", "time_zone", "locale", "attribute_names"]}),
        ("Acceptable use", {"fields": ["on_hold_at"]}),
    ]

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let superusers alone add a client."""
        return bool(getattr(request.user, "is_superuser", False))

    def formfield_for_dbfield(
        self, db_field: Field[object, object], request: HttpRequest, **kwargs: object
    ) -> Any:
        """Ask for the attributes' names line by line; say what the locale decides."""
        if db_field.name == "locale":
            spoken = ", ".join(f"{code} ({name})" for code, name in settings.LANGUAGES)
            kwargs["help_text"] = (
                f"the language of this client's pages, letters and footers: {spoken}. Any other"
                " is noted in its mails, and what is ours in them stays English"
            )
        if db_field.name == "attribute_names":
            return NamesField(
                required=False,
                label="Attributes of people",
                help_text="one name a line, city for instance; a mail says {{ registrant.city }}",
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: object = None, change: bool = False, **kwargs: object
    ) -> type[forms.ModelForm]:
        """Have the owner fill in a form that allows what they write."""
        is_owner = bool(getattr(request.user, "is_superuser", False))
        form = OwnersClientForm if is_owner else ClientForm
        return super().get_form(request, obj, change=change, **(kwargs | {"form": form}))

    def save_model(
        self, request: HttpRequest, obj: Client, form: forms.ModelForm, change: bool
    ) -> None:
        """Allow the hosts the owner wrote; anybody else chose among those allowed."""
        super().save_model(request, obj, form, change)
        if getattr(request.user, "is_superuser", False):
            hosts = [getattr(obj, name) for name in HOSTS]
            domains.allow(client=obj, names=hosts, staff=request.user.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        """Keep the hold out of the client's own hands."""
        return [] if getattr(request.user, "is_superuser", False) else ["on_hold_at"]

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: object = None
    ) -> dict[str, object]:
        """Fill the slug from the name while a client is new; later it stands in links."""
        return {} if obj else dict(self.prepopulated_fields)

    @admin.display(boolean=True, description="on hold")
    def is_on_hold(self, client: Client) -> bool:
        """Tell whether campaigns of this client are held back."""
        return client.on_hold_at is not None
