"""The staff page of the people who work here, for superusers."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accountability.signing_in import sessions
from registrants.admin.assignment import ForSuperusers
from registrants.models import Assignment
from registrants.scoped_admin import ReadOnlyTable, StaffPage

admin.site.unregister(User)
admin.site.unregister(Group)


class AssignmentTable(ForSuperusers, ReadOnlyTable):
    """For which clients, as what; changed on the page of assignments."""

    model = Assignment
    fields = ["client", "role"]
    readonly_fields = fields


@admin.register(User)
class StaffMemberPage(ForSuperusers, StaffPage, UserAdmin):  # type: ignore[misc]
    """Let somebody in, and say for which clients; roles replace Django's model permissions."""

    asks_password_again = True
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("May sign in", {"fields": ["is_active", "is_staff", "is_superuser"]}),
    ]
    add_form_template = None
    add_fieldsets = [
        (None, {"fields": ["username", "email", "password1", "password2", "is_staff"]}),
    ]
    inlines = [AssignmentTable]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Take it that whoever is let in works here."""
        return {"is_staff": True} | super().get_changeform_initial_data(request)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Assign somebody once they are there."""
        return list(self.inlines) if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Save, and end the sessions of whoever may less than before: for good."""
        super().save_model(request, obj, form, change)
        if change and {"is_active", "is_staff", "is_superuser"} & set(form.changed_data):
            sessions.end(obj.pk, but=request.session.session_key)
