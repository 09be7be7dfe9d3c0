"""What the steps of a mailing ask of the page they belong to."""

from typing import Protocol

from django.contrib import messages
from django.http import HttpRequest

from newsletter.models import Mailing


class MailingAdmin(Protocol):
    """The page of campaigns or of notices, as its steps, previews and decisions see it."""

    def mailing(self, request: HttpRequest, pk: int, *, change: bool = False) -> Mailing:
        """Return a mailing within reach; raise Http404 where it is not, 403 where only to see."""

    def context(self, request: HttpRequest, mailing: Mailing, title: str) -> dict[str, object]:
        """Return what every page about one mailing shows around its content."""

    def name(self, step: str) -> str:
        """Return the name of one of the page's addresses."""

    def url(self, step: str, pk: int | str) -> str:
        """Return one of the page's addresses."""

    def say(self, request: HttpRequest, message: str, level: int = messages.SUCCESS) -> None:
        """Tell the signed-in person something on the next page."""

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell whether the signed-in person may change one row, or any."""
