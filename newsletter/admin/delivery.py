"""The staff page of deliveries: what became of each mail; only to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accountability.roles import Right
from newsletter.models import Delivery, Mailing
from registrants.models import Client
from registrants.scoped_admin import BoundedPaginator, ReadOnly, ScopedFilter, StaffPage


class MailingFilter(ScopedFilter):
    """Narrow to one mailing; notices are named only to those who may send them."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, Any]]:
        """Return the newest campaigns, and the notices within reach."""
        rows = Mailing.objects.for_staff(request.user, Right.REPORTS)
        hidden = Q(kind=Mailing.Kind.NOTICE) & ~Q(client__in=_notice_clients(request))
        return [(str(row.pk), str(row)) for row in rows.exclude(hidden).order_by("-pk")[:200]]


def _notice_clients(request: HttpRequest) -> QuerySet[Any]:
    return Client.objects.for_staff(request.user, Right.NOTICES).values("pk")


@admin.register(Delivery)
class DeliveryPage(ReadOnly, StaffPage):
    """Look up what became of a mail, by state and mailing."""

    right = Right.REPORTS
    list_display = ["registrant", "what", "state", "refusal", "answer", "settled_at"]
    list_filter = ["state", ("mailing", MailingFilter)]
    list_select_related = ["registrant", "mailing"]
    search_fields = ["=registrant__address"]
    search_help_text = "the whole address"
    ordering = ["-pk"]
    paginator = BoundedPaginator
    fields = [
        "registrant", "mailing", "letter", "state", "refusal", "code", "answer", "tries",
        "opens", "clicks", "created_at", "due_at", "handed_over_at", "settled_at",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave notices out for whoever may not send them."""
        rows = super().get_queryset(request)
        hidden = Q(mailing__kind=Mailing.Kind.NOTICE) & ~Q(
            registrant__client__in=_notice_clients(request)
        )
        return rows if getattr(request.user, "is_superuser", False) else rows.exclude(hidden)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell whether the signed-in person may look, notices apart."""
        if not super().has_view_permission(request, obj):
            return False
        return (
            obj is None or self.get_queryset(request).filter(pk=getattr(obj, "pk", None)).exists()
        )

    @admin.display(description="mail", ordering="mailing")
    def what(self, delivery: Delivery) -> str:
        """Show the subject of the mailing, or which letter it was."""
        return str(delivery.mailing) if delivery.mailing else delivery.get_letter_display()
