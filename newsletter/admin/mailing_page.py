"""What the pages of campaigns and notices share: writing, previews, checks and the way out."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from unfold.decorators import action, display

from newsletter.admin import decisions, previews, steps, turns
from newsletter.admin.mailing_form import MailingForm
from newsletter.mailings import extra_pages, lifecycle
from newsletter.models import Mailing
from newsletter.review import checks, previewing, sending_tests
from registrants.models import Client
from registrants.scoped_admin import ScopedFilter, StaffPage

State = Mailing.State
LISTED = 200
"""Staff offered for a test."""


class MailingPage(StaffPage):
    """Write a mailing, look at it as its readers will, and send it."""

    form = MailingForm
    list_display = ["subject", "client", "shown_state", "staged", "updated_at"]
    list_filter = ["state", ("client", ScopedFilter)]
    list_select_related = ["client"]
    search_fields = ["subject"]
    ordering = ["-pk"]
    compressed_fields = False
    list_before_template = "newsletter/overdue_list.html"
    change_form_before_template = "newsletter/compose_conflict.html"
    change_form_outer_after_template = "newsletter/compose_panel.html"
    actions_submit_line = ["save_and_test", "save_and_send"]

    class Media:
        css = {"all": ["admin/compose.css"]}
        js = ["admin/compose.js"]

    @display(
        description="state",
        ordering="state",
        label={
            State.DRAFT: "info",
            State.SCHEDULED: "info",
            State.STAGING: "warning",
            State.SENDING: "warning",
            State.PAUSED: "danger",
            State.SENT: "success",
        },
    )
    def shown_state(self, mailing: Mailing) -> tuple[str, str]:
        """Show the state with its colour."""
        return mailing.state, mailing.get_state_display()

    @action(description="Save and send a test to me")
    def save_and_test(self, request: HttpRequest, obj: Mailing) -> None:
        """Mark the button; what it does is done once the save has been committed."""

    @action(description="Save and go on to sending")
    def save_and_send(self, request: HttpRequest, obj: Mailing) -> None:
        """Mark the button; what it does is done once the save has been committed."""

    def get_actions_submit_line(
        self, request: HttpRequest, object_id: str | None = None
    ) -> list[object]:
        """Offer to save and go on only where there is something to save."""
        mailing = self.get_object(request, object_id) if object_id else None
        if mailing and not self.has_change_permission(request, mailing):
            return []
        return super().get_actions_submit_line(request, object_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mailing]:
        """Return what pages show; the compiled mail stays where it is."""
        rows = super().get_queryset(request).defer("compiled")
        return rows.select_related("client", "sender", "mailing_list", "service", "template")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let a draft be changed; whatever left that state is only to look at."""
        written = isinstance(obj, Mailing) and obj.state != State.DRAFT
        return not written and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let a draft be thrown away."""
        return isinstance(obj, Mailing) and self.has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        """Keep a mailing with its client."""
        return ["client"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, object]:
        """Start with the client asked for in the address, or the only one there is."""
        initial: dict[str, object] = super().get_changeform_initial_data(request)
        clients = self._clients(request)
        if "client" not in initial and len(clients) == 1:
            initial["client"] = clients[0].pk
        return initial

    def _clients(self, request: HttpRequest) -> list[Client]:
        return list(Client.objects.for_staff(request.user, self.right)[:2])

    def save_model(
        self, request: HttpRequest, obj: Mailing, form: MailingForm, change: bool
    ) -> None:
        """Note who wrote it first."""
        obj.created_by = obj.created_by or request.user.pk
        super().save_model(request, obj, form, change)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show above the list what came due while nothing could start it."""
        overdue = [
            (mailing, self.url("send", mailing.pk))
            for mailing in lifecycle.overdue(self.get_queryset(request))[:20]
        ]
        return super().changelist_view(request, {"overdue": overdue, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """Save first; then, outside the transaction of the save, test or go on to sending."""
        mailing = self.get_object(request, object_id) if object_id else None
        if mailing and request.method == "POST" and self._is_late(request, mailing):
            return self._not_saved(request, mailing)
        with turns.of(request):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            return self._after_save(request, object_id, response)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, object], *args: object, **kwargs: object
    ) -> HttpResponse:
        """Offer one way to save: it stays on the page; beside it, what is saved is looked at."""
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        original = context.get("original")
        if isinstance(original, Mailing):  # after a refused save it holds what was typed
            saved = self.get_object(request, str(original.pk))
            context["panel"] = saved and self._panel(request, saved)
        return super().render_change_form(request, context, *args, **kwargs)

    def _after_save(
        self, request: HttpRequest, object_id: str | None, response: HttpResponse
    ) -> HttpResponse:
        if not object_id or request.method != "POST" or response.status_code != 302:
            return response
        if self.button("save_and_test") in request.POST:
            steps.test(self, request, int(object_id), [])
            return HttpResponseRedirect(self.url("change", object_id))
        if self.button("save_and_send") in request.POST:
            return HttpResponseRedirect(self.url("send", object_id))
        return response

    def response_add(
        self, request: HttpRequest, obj: Mailing, *args: object, **kwargs: object
    ) -> HttpResponse:
        """Go on writing where the preview is."""
        super().response_add(request, obj, *args, **kwargs)
        return HttpResponseRedirect(self.url("change", obj.pk))

    def response_change(self, request: HttpRequest, obj: Mailing) -> HttpResponse:
        """Stay on the page: a saved draft is seldom a finished one."""
        super().response_change(request, obj)
        return HttpResponseRedirect(self.url("change", obj.pk))

    def _is_late(self, request: HttpRequest, mailing: Mailing) -> bool:
        """Tell whether somebody who may write it saves it after it has left the drafts."""
        may = StaffPage.has_change_permission(self, request, mailing)
        return may and mailing.state != State.DRAFT

    def _not_saved(self, request: HttpRequest, mailing: Mailing) -> HttpResponse:
        """Answer somebody whose draft went out meanwhile, with all they typed."""
        typed = [(name, request.POST[name]) for name in ("subject", "preheader", "body")
                 if name in request.POST]  # fmt: skip
        return render(
            request,
            "newsletter/not_saved.html",
            self.context(request, mailing, "Not saved") | {"typed": typed},
            status=409,
        )

    def _panel(self, request: HttpRequest, mailing: Mailing) -> dict[str, object]:
        person = previewing.person(mailing, request.GET.get("person", ""))
        is_ahead = mailing.state in (State.DRAFT, State.SCHEDULED)
        trial = previewing.trial(mailing, person) if is_ahead else None
        frame = {"person": person.pk if person else "",
                 "unsaved": previews.keep(request, mailing, trial) if trial else ""}  # fmt: skip
        address = reverse(self.name("preview"), args=[mailing.pk, "html"])
        return {
            "mailing": mailing,
            "person": person,
            "people": previewing.people(mailing),
            "preview": f"{address}?{urlencode(frame)}",
            "parts": [
                (part, label, reverse(self.name("preview"), args=[mailing.pk, part]))
                for part, label in previews.PARTS
            ],
            "unsaved": self.url("unsaved", mailing.pk),
            "search": self.url("people", mailing.pk),
            "steps": self._steps(mailing),
            "is_ahead": is_ahead,
            "onward": extra_pages.pages(mailing),
            "audience": self.url("audience", mailing.pk),
            "checks": checks.check(mailing, trial) if trial else [],
            "test": self.url("test", mailing.pk)
            if StaffPage.has_change_permission(self, request, mailing)
            else "",
            "colleagues": sending_tests.colleagues(mailing)[:LISTED],
            "most": sending_tests.TEST_RECIPIENTS,
            "editable": self.has_change_permission(request, mailing),
        }

    def _steps(self, mailing: Mailing) -> list[tuple[str, str]]:
        """Return where to go from here, by state."""
        offered = {
            State.DRAFT: [("send", "Send or schedule")],
            State.SCHEDULED: [("send", "See the schedule")],
            State.SENT: [("progress", "See how it went")],
            State.CANCELLED: [("progress", "See how it went")],
        }.get(State(mailing.state), [("progress", "See how it goes")])
        return [(self.url(step, mailing.pk), label) for step, label in offered]

    # -- addresses -----------------------------------------------------------------------------

    def name(self, step: str) -> str:
        """Return the name of one of this page's addresses."""
        return f"admin:newsletter_{self.opts.model_name}_{step}"

    def url(self, step: str, pk: int | str) -> str:
        """Return one of this page's addresses."""
        return reverse(self.name(step), args=[pk])

    def button(self, action_name: str) -> str:
        """Return the name a button of the submit line has in the posted form."""
        return f"newsletter_{self.opts.model_name}_{action_name}"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of previews and steps to Django's own."""
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("preview/<str:part>", "preview", previews.preview),
            ("unsaved", "unsaved", previews.unsaved),
            ("people", "people", previews.people),
            ("audience", "audience", previews.audience_now),
            ("send", "send", steps.send),
            ("schedule", "schedule", steps.schedule),
            ("progress", "progress", steps.progress_page),
            ("progress/now", "progress_now", steps.progress_now),
            ("test", "test", steps.test_again),
            ("duplicate", "duplicate", steps.duplicate),
            ("move/<str:move>", "move", steps.move),
            ("unknown", "unknown", decisions.unknown),
            ("retry", "retry", decisions.retry),
        ]
        own = [
            path(
                f"<int:pk>/{route}/",
                self.admin_site.admin_view(turns.by_staff(view)),
                {"page": self},
                name=f"newsletter_{self.opts.model_name}_{step}",
            )
            for route, step, view in views
        ]
        return own + super().get_urls()

    # -- what the views of previews and steps ask of their page ----------------------------------

    def mailing(self, request: HttpRequest, pk: int, *, change: bool = False) -> Mailing:
        """Return a mailing within reach; raise Http404 where it is not, 403 where only to see."""
        mailing: Mailing | None = self.get_queryset(request).filter(pk=pk).first()
        if mailing is None:
            raise Http404("There is no such mailing, or it is not yours to see.")
        if change and not StaffPage.has_change_permission(self, request, mailing):
            raise PermissionDenied
        return mailing

    def context(self, request: HttpRequest, mailing: Mailing, title: str) -> dict[str, object]:
        """Return what every page about one mailing shows around its content."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "subtitle": str(mailing),
            "mailing": mailing,
            "original": mailing,
            "back": self.url("change", mailing.pk),
            "is_nav_sidebar_enabled": True,
        }

    def say(self, request: HttpRequest, message: str, level: int = messages.SUCCESS) -> None:
        """Tell the signed-in person something on the next page."""
        self.message_user(request, message, level)
