"""The staff page of senders: who mail comes from, by which server it leaves, and how fast."""

import redis
from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display

from accountability import audit
from accountability.roles import Right
from newsletter import pace
from newsletter.admin import sender_panel, sender_trial
from newsletter.admin.sender_form import CREDENTIALS, CredentialsForm, PaceRuleForm, SenderForm
from newsletter.models import PaceRule, Sender
from registrants.scoped_admin import ScopedFilter, ScopedStackedInline, StaffPage

SMTP = ["host", "port", "security", "username", "new_password"]
HOW_IT_LEAVES = [
    *("transport", *SMTP, "provider"),
    *(name for names in CREDENTIALS.values() for name in names),
    *("connections", "bounce_domain", "fallback"),
]


class PaceRules(ScopedStackedInline):
    """A ceiling for each receiver that needs one."""

    model = PaceRule
    form = PaceRuleForm
    right = Right.SETTINGS
    fields = [("receiver", "per_second", "connections")]
    extra = 1
    may_delete = True
    verbose_name_plural = "Pace by receiver"


@require_POST
def use_again(request: HttpRequest, page: "SenderPage", pk: int) -> HttpResponse:
    """Use a stopped sender again, and lift what its receivers asked for: a person says so."""
    sender = page.get_queryset(request).filter(pk=pk).first()
    if sender is None or not page.has_change_permission(request, sender):
        raise Http404("There is no such sender, or it is not yours to change.")
    with transaction.atomic():
        kept = Sender.objects.select_for_update().get(pk=pk)
        audit.record(
            act="use-again",
            subject=sender,
            staff=request.user.pk,
            client=sender.client_id,
            was_stopped=kept.stopped_at is not None,
        )
        kept.stopped_at, kept.stopped_reason = None, ""
        kept.save(update_fields=["stopped_at", "stopped_reason", "updated_at"])
    try:
        pace.forget(sender)
        page.message_user(request, "It is used again. Mailings that were paused wait for you.")
    except redis.RedisError:
        page.message_user(
            request,
            "It is used again. What receivers asked for could not be lifted: Redis is away.",
            messages.WARNING,
        )
    return HttpResponseRedirect(reverse("admin:newsletter_sender_change", args=[pk]))


@admin.register(Sender)
class SenderPage(StaffPage):
    """Set up a sender; campaigns of its client alone can use it."""

    form = CredentialsForm
    right = Right.SETTINGS
    asks_password_again = True
    inlines = [PaceRules]
    list_display = ["name", "from_name", "from_address", "client", "transport", "is_default",
                    "state"]  # fmt: skip
    list_filter = [("client", ScopedFilter)]
    list_select_related = ["client"]
    search_fields = ["name", "from_address"]
    conditional_fields = (
        dict.fromkeys(SMTP, "transport == 'smtp'")
        | {"provider": "transport == 'provider'"}
        | {
            name: f"transport == 'provider' && provider == '{provider}'"
            for provider, names in CREDENTIALS.items()
            for name in names
        }
    )
    """Which fields are shown for which choice; without JavaScript all are."""
    fieldsets = [
        (None, {"fields": ["client", "name", "is_default"]}),
        ("What readers see", {"fields": ["from_name", "from_address", "reply_to"]}),
        ("How mail leaves", {"fields": HOW_IT_LEAVES}),
        ("How fast", {"fields": ["per_second", "quiet_from", "quiet_until"]}),
        (
            "Warm-up",
            {"fields": ["warm_up_on", "warm_up_first", "warm_up_growth", "warm_up_until"]},
        ),
    ]
    change_form_outer_before_template = "newsletter/sender_stopped.html"
    change_form_outer_after_template = "newsletter/sender_panel.html"

    class Media:
        css = {"all": ["admin/compose.css", "admin/report.css", "admin/sender.css"]}

    @display(description="state", label={"in use": "success", "stopped": "danger"})
    def state(self, sender: Sender) -> tuple[str, str]:
        """Show whether it was stopped."""
        label = "stopped" if sender.stopped_at else "in use"
        return label, label

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        """Keep a sender with its client."""
        return ["client"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        """Add the way back into use, and the trial mail."""
        own = path(
            "<int:pk>/use-again/",
            self.admin_site.admin_view(use_again),
            {"page": self},
            name="newsletter_sender_use_again",
        )
        trial = path(
            "<int:pk>/trial/",
            self.admin_site.admin_view(sender_trial.trial),
            {"page": self},
            name="newsletter_sender_trial",
        )
        return [own, trial, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Sender, form: SenderForm, change: bool) -> None:
        """Say what must be known of the provider chosen, each time it is saved."""
        super().save_model(request, obj, form, change)
        known = [check.words for check in sender_panel.checks(obj) if not check.passed]
        label = sender_panel.provider_label(obj)
        for explanation in known:
            self.message_user(request, f"{label}: {explanation}", messages.WARNING)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """Show beside the form how the sender does."""
        context = dict(extra_context or {})
        sender = self.get_object(request, object_id) if object_id else None
        if sender is not None:
            context["panel"] = sender_panel.panel(sender)
            if self.has_change_permission(request, sender):
                context["again_url"] = reverse(
                    "admin:newsletter_sender_use_again", args=[sender.pk]
                )
                context["trial_url"] = reverse("admin:newsletter_sender_trial", args=[sender.pk])
        return super().changeform_view(request, object_id, form_url, context)
