"""The staff page of service notices: a right of their own, and never a campaign."""

from django.contrib import admin

from accountability.roles import Right
from newsletter.admin.mailing_form import MailingForm
from newsletter.admin.mailing_page import MailingPage
from newsletter.models import Notice


class NoticeForm(MailingForm):
    """A notice always has a service and a reason."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind = Notice.Kind.NOTICE
        for name in ("service", "reason"):
            if name in self.fields:
                self.fields[name].required = True


@admin.register(Notice)
class NoticePage(MailingPage):
    """Write a mandatory notice to everyone enrolled in one service, and send it."""

    form = NoticeForm
    right = Right.NOTICES
    list_display = ["subject", "client", "service", "shown_state", "staged", "overridden"]
    list_select_related = ["client", "service"]
    add_fieldsets = [
        (None, {"fields": ["client", "service", "sender", "subject", "reason"]}),
    ]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "client", "service", "reason", "sender", "subject", "preheader",
                    "template", "body_format", "body",
                ]
            },
        ),
    ]  # fmt: skip
