"""The staff page of registrants: where they stand and how it came about; only to look at."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from accountability.roles import Right
from registrants.addresses import hashed
from registrants.models import (
    ConsentEvent,
    Enrolment,
    Registrant,
    Subscription,
    Suppression,
)
from registrants.scoped_admin import (
    BoundedPaginator,
    ReadOnly,
    ReadOnlyTable,
    ScopedFilter,
    StaffPage,
)


class SubscriptionTable(ReadOnlyTable):
    """On which lists, in which state."""

    model = Subscription
    right = Right.REGISTRANTS
    fields = ["mailing_list", "state", "ended_reason", "confirmed_at", "ended_at", "paused_until"]
    readonly_fields = fields


class ConsentTable(ReadOnlyTable):
    """Every act of asking, giving and taking back."""

    model = ConsentEvent
    right = Right.REGISTRANTS
    fields = ["at", "purpose", "mailing_list", "act", "means", "words", "proof"]
    readonly_fields = fields
    verbose_name_plural = "consent history"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Bring the words and the evidence along."""
        return super().get_queryset(request).select_related("mailing_list", "wording", "evidence")

    @admin.display(description="words shown")
    def words(self, event: ConsentEvent) -> str:
        """Show the wording of the time."""
        return event.wording.text if event.wording else ""

    @admin.display(description="proof")
    def proof(self, event: ConsentEvent) -> str:
        """Show from where and with what, as long as that is kept."""
        evidence = getattr(event, "evidence", None)
        return f"{evidence.ip or ''} {evidence.browser}".strip() if evidence else ""


class EnrolmentTable(ReadOnlyTable):
    """What this person signed up for."""

    model = Enrolment
    right = Right.REGISTRANTS
    fields = ["service", "enrolled_at", "ended_at"]
    readonly_fields = fields


@admin.register(Registrant)
class RegistrantPage(ReadOnly, StaffPage):
    """Look a person up; what they chose is theirs to change."""

    right = Right.REGISTRANTS
    list_display = ["label", "client", "name", "opens", "clicks", "created_at"]
    list_filter = [("client", ScopedFilter), "opens", "clicks"]
    list_select_related = ["client"]
    paginator = BoundedPaginator
    search_fields = ["address", "name"]
    search_help_text = "the whole address, or its beginning, or a name"
    fields = [
        "address", "client", "name", "attributes", ("opens", "clicks"),
        "suppressions", "restricted_at", "erased_at", "created_at",
    ]  # fmt: skip
    readonly_fields = ["suppressions"]
    inlines = [SubscriptionTable, EnrolmentTable, ConsentTable]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """Find a whole address by its hash, which is indexed; anything else by its beginning."""
        term = search_term.strip()
        if "@" in term and "." in term.rpartition("@")[2]:
            registrants = queryset.filter(address_hash=hashed(term))
            if registrants.exists():
                return registrants, False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="registrant", ordering="address")
    def label(self, registrant: Registrant) -> str:
        """Show the address, or that there is none any more."""
        return str(registrant)

    @admin.display(description="suppressed")
    def suppressions(self, registrant: Registrant) -> str:
        """Show why this address must not be mailed, if so."""
        if registrant.address_hash is None:
            return "erased"
        standing = Suppression.objects.filter(address_hash=registrant.address_hash, lifted_at=None)
        standing = standing.filter(client=None) | standing.filter(client=registrant.client_id)
        lines = [(str(suppression),) for suppression in standing.select_related("client")]
        return format_html_join("; ", "{}", lines) or "no"
