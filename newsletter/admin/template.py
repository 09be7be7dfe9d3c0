"""The staff page of layouts: what stands around every body of a client."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from accountability.roles import Right
from newsletter import sandbox
from newsletter.admin import previews, turns
from newsletter.content.errors import SourceErrors
from newsletter.mailings import freezing
from newsletter.mailings.source import source_of
from newsletter.models import Template
from newsletter.review import previewing
from registrants.scoped_admin import ScopedFilter, StaffPage


class TemplateForm(forms.ModelForm):
    """A layout; it is compiled around a sample before it is kept."""

    def clean(self) -> dict[str, object]:
        """Put every fault at the source, with line and column."""
        cleaned = super().clean() or self.cleaned_data
        client = cleaned.get("client") or (self.instance.pk and self.instance.client)
        if client and cleaned.get("source") and not self.errors:
            trial = Template(
                client=client, format=cleaned.get("format", ""), source=cleaned["source"]
            )
            try:
                sandbox.compile_mail(source_of(previewing.sample(trial)))
            except SourceErrors as faults:
                for fault in faults.faults:
                    self.add_error("source", str(fault))
        return cleaned


@xframe_options_sameorigin
@require_GET
def preview(request: HttpRequest, page: "TemplatePage", pk: int, part: str) -> HttpResponse:
    """Show a layout around a sample, as a document of its own."""
    template = page.get_queryset(request).filter(pk=pk).first()
    if template is None:
        raise Http404("There is no such layout, or it is not yours to see.")
    return previews.document(previewing.preview(previewing.sample(template), None), part)


@admin.register(Template)
class TemplatePage(StaffPage):
    """Write a layout: the client's identity, postal address and footer."""

    form = TemplateForm
    right = Right.SETTINGS
    view_right = Right.CAMPAIGNS
    list_display = ["name", "client", "format", "updated_at"]
    list_filter = [("client", ScopedFilter)]
    list_select_related = ["client"]
    search_fields = ["name"]
    fields = ["client", "name", "format", "source"]
    compressed_fields = False
    change_form_outer_after_template = "newsletter/layout_panel.html"

    class Media:
        css = {"all": ["admin/compose.css"]}
        js = ["admin/compose.js"]

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        """Keep a layout with its client."""
        return ["client"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        """Add the preview."""
        own = path(
            "<int:pk>/preview/<str:part>/",
            self.admin_site.admin_view(turns.by_staff(preview)),
            {"page": self},
            name="newsletter_template_preview",
        )
        return [own, *super().get_urls()]

    def save_model(
        self, request: HttpRequest, obj: Template, form: TemplateForm, change: bool
    ) -> None:
        """Say which mailings stay frozen in the layout as it was before."""
        super().save_model(request, obj, form, change)
        if change and {"source", "format"} & set(form.changed_data):
            subjects = [f"“{mailing.subject}”" for mailing in freezing.frozen_in(obj)[:20]]
            if subjects:
                self.message_user(
                    request,
                    f"Frozen with the older layout, in which they will go: {', '.join(subjects)}."
                    " Take a schedule back and schedule again to have it in the new one.",
                    messages.WARNING,
                )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> Any:
        """Show the saved layout beside its source."""
        context = dict(extra_context or {})
        layout = self.get_object(request, object_id) if object_id else None
        if layout:
            parts = [
                (part, label, reverse("admin:newsletter_template_preview", args=[layout.pk, part]))
                for part, label in previews.PARTS
            ]
            context["panel"] = {
                "parts": parts,
                "preview": parts[0][2],
                "frozen": freezing.frozen_in(layout)[:20],
            }
        with turns.of(request):
            return super().changeform_view(request, object_id, form_url, context)
