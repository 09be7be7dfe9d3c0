"""The one way staff reach rows: only those of the clients they are assigned to."""

from typing import TYPE_CHECKING, Any, Self, TypeAlias

from django.apps import apps
from django.db import models

from accountability.roles import Right, holding

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

StaffUser: TypeAlias = "User | AnonymousUser"
"""Whoever a request comes from."""


class Scoped(models.QuerySet[Any]):
    """A queryset over rows that belong to a client; the model names the path in CLIENT_PATH."""

    def for_staff(self, staff: StaffUser, right: Right | None = None) -> Self:
        """Return the rows of clients this member of staff is assigned to (with that right)."""
        if not getattr(staff, "is_active", False) or not staff.is_staff:
            return self.none()
        if staff.is_superuser:
            return self.all()
        path = getattr(self.model, "CLIENT_PATH", "client")
        assigned = apps.get_model("registrants", "Assignment").objects.filter(staff=staff)
        if right is not None:
            assigned = assigned.filter(role__in=holding(right))
        return self.filter(**{f"{path or 'pk'}__in": assigned.values("client")})

    def of(self, client: models.Model | int) -> Self:
        """Return the rows of one client."""
        path = getattr(self.model, "CLIENT_PATH", "client")
        return self.filter(**{path or "pk": client})


ScopedManager = models.Manager.from_queryset(Scoped)
"""A manager whose rows belong to a client."""
