"""The staff page of campaigns."""

from django.contrib import admin

from accountability.roles import Right
from newsletter.admin.mailing_form import MailingForm
from newsletter.admin.mailing_page import MailingPage
from newsletter.models import Campaign


class CampaignForm(MailingForm):
    """A campaign always has a list."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind = Campaign.Kind.CAMPAIGN
        if "mailing_list" in self.fields:
            self.fields["mailing_list"].required = True


@admin.register(Campaign)
class CampaignPage(MailingPage):
    """Write a newsletter issue and send it to the confirmed people of one list."""

    form = CampaignForm
    right = Right.CAMPAIGNS
    view_right = Right.CAMPAIGNS
    list_display = ["subject", "client", "mailing_list", "shown_state", "staged", "updated_at"]
    list_select_related = ["client", "mailing_list"]
    add_fieldsets = [
        (None, {"fields": ["client", "mailing_list", "sender", "subject", "preheader"]}),
    ]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "client", "mailing_list", "sender", "subject", "preheader",
                    "template", "body_format", "body",
                ]
            },
        ),
    ]  # fmt: skip
