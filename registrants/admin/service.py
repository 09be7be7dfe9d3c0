"""The staff page of services and of who is enrolled in them."""

from django.contrib import admin
from django.http import HttpRequest

from accountability.roles import Right
from registrants.models import Enrolment, Service
from registrants.scoped_admin import BoundedPaginator, ReadOnly, ScopedFilter, StaffPage


@admin.register(Service)
class ServicePage(StaffPage):
    """Set up a service whose mandatory notices reach everyone enrolled."""

    right = Right.SETTINGS
    list_display = ["name", "client", "description"]
    list_select_related = ["client"]
    search_fields = ["name"]
    fields = ["client", "name", "description"]

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        """Keep a service with its client."""
        return ["client"] if obj else []


@admin.register(Enrolment)
class EnrolmentPage(ReadOnly, StaffPage):
    """Look up who is signed up for what."""

    right = Right.SETTINGS
    list_display = ["registrant", "service", "enrolled_at", "ended_at"]
    list_filter = [("service", ScopedFilter)]
    list_select_related = ["registrant", "service"]
    paginator = BoundedPaginator
    search_fields = ["registrant__address"]
    fields = list_display
