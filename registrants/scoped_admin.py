"""The one base class of every staff page: who may see and do what, client by client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.contrib import messages
from django.contrib.admin import AdminSite, RelatedFieldListFilter
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.paginator import Paginator
from django.db.models import Field, ForeignKey, Model, QuerySet, URLField
from django.db.models.options import Options
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from accountability import audit
from accountability.models import AuditEntry
from accountability.roles import Right
from accountability.signing_in.password_again import password_again
from registrants.models import Client
from registrants.models.scope import Scoped

COUNTED_ROWS = 10_000
FILTERED = 200


class BoundedPaginator(Paginator):
    """A paginator that counts no further than it shows, so that millions of rows open at once."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most COUNTED_ROWS."""
        return cast("QuerySet[Model]", self.object_list)[:COUNTED_ROWS].count()


if TYPE_CHECKING:

    class _Page:
        """What Django's pages and inlines bring beside `Scoping`."""

        def get_ordering(self, request: HttpRequest) -> Sequence[str]: ...

        def formfield_for_foreignkey(
            self, db_field: ForeignKey[object, object], request: HttpRequest, **kwargs: object
        ) -> ModelChoiceField[Model] | None: ...

        def formfield_for_dbfield(
            self, db_field: Field[object, object], request: HttpRequest, **kwargs: object
        ) -> Any: ...

else:
    _Page = object


def within_reach(request: HttpRequest, model: type[Model], right: Right | None) -> QuerySet[Any]:
    """Return the rows of a model that the signed-in person may reach with a right."""
    rows = model._default_manager.all()
    if isinstance(rows, Scoped):
        return rows.for_staff(request.user, right)
    return rows if getattr(request.user, "is_superuser", False) else rows.none()


class Scoping(_Page):
    """Rights by role and client for pages and inlines; Django's model permissions play no part.

    `right` lets a person add and change, `view_right` (default: the same) lets them look.
    A model without a client is for superusers alone.
    """

    right: Right | None = None
    view_right: Right | None = None
    may_add = True
    may_change = True
    may_delete = False
    model: type[Model]

    def _reach(self, request: HttpRequest, right: Right | None, obj: object) -> bool:
        if obj is not None:
            pk = obj.pk if isinstance(obj, Model) else obj
            return within_reach(request, self.model, right).filter(pk=pk).exists()
        if isinstance(self.model._default_manager.all(), Scoped):
            return has_right(request, right)
        return bool(getattr(request.user, "is_superuser", False))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the page is there at all for the signed-in person."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell whether the signed-in person may look, at one row or at any."""
        return self._reach(request, self.view_right or self.right, obj)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell whether the signed-in person may add a row for some client."""
        return self.may_add and self._reach(request, self.right, None)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell whether the signed-in person may change one row, or any."""
        return self.may_change and self._reach(request, self.right, obj)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell whether a row may go; the ledgers keep nearly everything."""
        return self.may_delete and self._reach(request, self.right, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows within reach, in the page's own order."""
        rows = within_reach(request, self.model, self.view_right or self.right)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[object, object], request: HttpRequest, **kwargs: object
    ) -> ModelChoiceField[Model] | None:
        """Offer only rows of clients for which the person holds this page's right."""
        related = db_field.remote_field.model
        if "queryset" not in kwargs and isinstance(related._default_manager.all(), Scoped):
            kwargs["queryset"] = within_reach(request, related, self.right)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(
        self, db_field: Field[object, object], request: HttpRequest, **kwargs: object
    ) -> Any:
        """Leave the add, change and delete pop-ups off: each thing has a page of its own."""
        if isinstance(db_field, URLField):
            kwargs.setdefault("assume_scheme", "https")
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field


class ScopedFilter(RelatedFieldListFilter):
    """A filter that offers only rows within reach; Django's own would name every client's."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, Any]]:
        """Return the newest rows the signed-in person may see."""
        right = model_admin.view_right or model_admin.right
        rows = within_reach(request, field.remote_field.model, right)
        return [(str(row.pk), str(row)) for row in rows.order_by("-pk")[:FILTERED]]


def has_right(request: HttpRequest, right: Right | None) -> bool:
    """Tell whether the signed-in person holds a right for any client (None: any right)."""
    user = request.user
    if user.is_active and user.is_staff and user.is_superuser:
        return True
    return Client.objects.for_staff(user, right).exists()


class AdminPage(Protocol):
    """A page of the admin, as a view beside it sees it."""

    admin_site: AdminSite
    opts: Options[Model]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows within reach."""

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell whether the signed-in person may change one row, or any."""

    def message_user(self, request: HttpRequest, message: str, level: int = messages.INFO) -> None:
        """Tell the signed-in person something on the next page."""


class StaffPage(Scoping, ModelAdmin):
    """A page of the admin; every one inherits from here, so leaving unfold is one file."""

    list_filter_submit = True
    warn_unsaved_form = True
    actions = None
    show_full_result_count = False
    list_per_page = 50
    asks_password_again = False
    """Whether what is posted here wants a password given lately: credentials and rights."""

    def get_urls(self) -> list[URLPattern]:
        """Have the views of such a page ask for the password again."""
        patterns: list[URLPattern] = super().get_urls()
        for pattern in patterns if self.asks_password_again else ():
            pattern.callback = password_again(pattern.callback)
        return patterns

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Let a list be narrowed by its filters alone, never by whatever column is typed."""
        narrowed = (one[0] if isinstance(one, tuple) else one for one in self.list_filter)
        is_narrowed = lookup.partition("__")[0] in narrowed
        return is_narrowed and super().lookup_allowed(lookup, value, request)

    def log_addition(self, request: HttpRequest, obj: Model, message: object) -> AuditEntry:
        """Note an addition in the audit trail, and nowhere else."""
        return self._note(request, "add", obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: object) -> AuditEntry:
        """Note a change in the audit trail: which fields, never their values."""
        return self._note(request, "change", obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Model]) -> list[AuditEntry]:
        """Note deletions in the audit trail."""
        return [self._note(request, "delete", obj, []) for obj in queryset]

    def _note(self, request: HttpRequest, act: str, obj: Model, message: object) -> AuditEntry:
        fields = [
            field
            for part in (message if isinstance(message, list) else [])
            for field in part.get("changed", {}).get("fields", [])
        ]
        return audit.record(
            act=act,
            subject=obj,
            staff=request.user.pk,
            client=self.client_of(obj),
            fields=[str(field) for field in fields],
        )

    def client_of(self, obj: object) -> int | None:
        """Return the id of the client a row belongs to, if any."""
        path = getattr(obj, "CLIENT_PATH", "client")
        for step in path.split("__") if path else ():
            obj = getattr(obj, step, None)
        return getattr(obj, "pk", None)


class ReadOnly:
    """A page or inline where nothing can be changed, whoever looks."""

    may_add = False
    may_change = False
    may_delete = False


class ScopedInline(Scoping):
    """A part of a page: Django asks its rights about the row of the page, already looked at."""

    extra = 0

    def _reach(self, request: HttpRequest, right: Right | None, obj: object) -> bool:
        return super()._reach(request, right, None)


class ScopedTabularInline(ScopedInline, TabularInline):
    """Rows of another model as a table on a page."""


class ScopedStackedInline(ScopedInline, StackedInline):
    """Rows of another model as small forms on a page."""


class ReadOnlyTable(ReadOnly, ScopedTabularInline):
    """A table on a page that only shows."""

    hide_title = True
