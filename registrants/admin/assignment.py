"""The staff page of assignments: who works for which client, and as what."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from registrants.models import Assignment
from registrants.scoped_admin import Scoping, StaffPage


class ForSuperusers(Scoping):
    """Open to superusers alone, whatever client a row belongs to."""

    def _reach(self, request: HttpRequest, right: object, obj: object) -> bool:
        user = request.user
        return user.is_active and user.is_staff and bool(getattr(user, "is_superuser", False))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        """Return every row to a superuser, none to anybody else."""
        rows = super().get_queryset(request)
        return rows if self._reach(request, None, None) else rows.none()


@admin.register(Assignment)
class AssignmentPage(ForSuperusers, StaffPage):
    """Assign a member of staff to a client in a role, or take the assignment away."""

    may_delete = True
    asks_password_again = True
    list_display = ["staff", "client", "role"]
    list_filter = ["client", "role"]
    list_select_related = ["staff", "client"]
    fields = ["staff", "client", "role"]
