"""The staff page of the audit trail, read-only, for superusers."""

from django.contrib import admin

from accountability.models import AuditEntry
from registrants.scoped_admin import BoundedPaginator, ReadOnly, StaffPage


@admin.register(AuditEntry)
class AuditTrailPage(ReadOnly, StaffPage):
    """Look up who did what, when, on whose behalf."""

    list_display = ["at", "act", "subject_kind", "subject", "staff", "client"]
    search_fields = ["=act", "=subject_kind"]
    paginator = BoundedPaginator
    fields = ["at", "act", "subject_kind", "subject", "staff", "client", "detail"]
