"""The staff page of reports: a list, and for each mailing its figures."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.decorators import display

from accountability.roles import Right
from accountability.signing_in.password_again import password_again
from newsletter.models import Mailing
from registrants.scoped_admin import BoundedPaginator, ReadOnly, ScopedFilter, StaffPage
from tracking.admin import report_views
from tracking.models import Report
from tracking.reporting import report_access

State = Mailing.State


@admin.register(Report)
class ReportPage(ReadOnly, StaffPage):
    """Read what became of a mailing."""

    right = Right.REPORTS
    list_display = ["subject", "client", "kind", "shown_state", "staged", "started_at"]
    list_filter = ["kind", "state", ("client", ScopedFilter)]
    list_select_related = ["client"]
    search_fields = ["subject"]
    ordering = ["-started_at"]
    paginator = BoundedPaginator

    @display(
        description="state",
        ordering="state",
        label={
            State.STAGING: "warning",
            State.SENDING: "warning",
            State.PAUSED: "danger",
            State.SENT: "success",
        },
    )
    def shown_state(self, mailing: Mailing) -> tuple[str, str]:
        """Show the state with its colour."""
        return mailing.state, mailing.get_state_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Return the reports within reach: those of notices for who may send notices."""
        rows = super().get_queryset(request)
        return rows.filter(pk__in=report_access.mailings(request.user).order_by().values("pk"))

    def get_urls(self) -> list[URLPattern]:
        """Return the list and the pages of one report; there is nothing to add or to change."""
        views_of_one = [
            ("", "change", report_views.report_page),
            ("deliveries/", "deliveries", report_views.deliveries_page),
            ("deliveries.csv", "export", password_again(report_views.export_page)),
        ]
        return [
            path(
                "",
                self.admin_site.admin_view(self.changelist_view),
                name="tracking_report_changelist",
            ),
            *(
                path(
                    f"<int:pk>/{route}",
                    self.admin_site.admin_view(view),
                    {"page": self},
                    name=f"tracking_report_{name}",
                )
                for route, name, view in views_of_one
            ),
        ]
