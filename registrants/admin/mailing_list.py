"""The staff page of mailing lists, with the words people are shown when they are asked."""

from django.contrib import admin
from django.http import HttpRequest

from accountability.roles import Right
from registrants.models import MailingList, Wording
from registrants.scoped_admin import ReadOnlyTable, StaffPage


class WordingTable(ReadOnlyTable):
    """Every version of the words that ask for this list; they are never edited."""

    model = Wording
    right = Right.SETTINGS
    view_right = Right.CAMPAIGNS
    fields = ["version", "locale", "text", "created_at"]
    readonly_fields = fields
    verbose_name_plural = "wording shown"


@admin.register(MailingList)
class MailingListPage(StaffPage):
    """Set up a list: its purpose is what people say yes to."""

    right = Right.SETTINGS
    view_right = Right.CAMPAIGNS
    list_display = ["name", "client", "purpose", "is_public", "archived_at"]
    list_filter = ["is_public"]
    list_select_related = ["client"]
    search_fields = ["name", "purpose"]
    fields = ["client", "name", "slug", "purpose", "is_public", "archived_at"]
    inlines = [WordingTable]

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        """Keep a list with its client and its slug (List-Id) once it is made."""
        return ["client", "slug"] if obj else []
