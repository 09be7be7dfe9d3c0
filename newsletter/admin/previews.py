"""A mailing as a reader will see it: documents of their own, inert, under their own policy."""

import re
from typing import Final, cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from newsletter.admin import kept_previews
from newsletter.admin.mailing_admin import MailingAdmin
from newsletter.content import html_tokens
from newsletter.content.html_tokens import Kind
from newsletter.mailings import audience
from newsletter.mailings.source import OF_THE_CLIENT, WRITTEN
from newsletter.models import Mailing, Sender, Template
from newsletter.review import checks, previewing
from registrants.models import MailingList, Service

PARTS = [
    ("html", "Desktop"),
    ("phone", "Phone"),
    ("dark", "Dark"),
    ("text", "Plain text"),
    ("source", "Raw source"),
]
POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'; font-src https:;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox"
)
_SCHEME: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
CHOSEN_MODELS = {
    "sender": Sender,
    "mailing_list": MailingList,
    "service": Service,
    "template": Template,
}


@xframe_options_sameorigin
@require_GET
def preview(request: HttpRequest, page: MailingAdmin, pk: int, part: str) -> HttpResponse:
    """Show one part of a mailing as one person, saved or as it is being typed."""
    mailing = page.mailing(request, pk)
    key, staff = request.GET.get("unsaved", ""), cast("int", request.user.pk)
    shown = kept_previews.kept(key, staff=staff, mailing=pk)
    if shown is None:
        person = previewing.person(mailing, request.GET.get("person", ""))
        shown = previewing.preview(mailing, person)
    return document(shown, part)


def document(shown: previewing.Preview, part: str) -> HttpResponse:
    """Return one part of a preview with the policy that keeps it inert."""
    if part in ("text", "source"):
        content = shown.text if part == "text" else shown.raw.decode("utf-8", "replace")
        response = HttpResponse(content, content_type="text/plain; charset=utf-8")
    else:
        response = HttpResponse(_in_scheme(shown.html, dark=part == "dark"))
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _in_scheme(html: str, *, dark: bool) -> str:
    """Show a mail as a reader with a dark or a light screen sees it, whatever the browser has."""
    out: list[str] = []
    for token in html_tokens.tokens(html):
        text = html[token.start : token.end]
        if token.kind is Kind.RAW and token.name == "style":
            text = _SCHEME.sub(lambda query: _always((query[1].lower() == "dark") == dark), text)
        out.append(text)
    scheme = "dark" if dark else "light"
    style = f"<style>:root{{color-scheme:{scheme}!important}}</style>"
    return f"<!doctype html><meta charset=utf-8>{style}{''.join(out)}"


def _always(holds: bool) -> str:
    return "(min-width: 0px)" if holds else "(max-width: 0px)"


@require_POST
def unsaved(request: HttpRequest, page: MailingAdmin, pk: int) -> JsonResponse:
    """Make what is typed once, and answer what is wrong with it and where to look at it.

    Answers 429 where the same person has something else made; what is newest is asked for again.
    """
    mailing = page.mailing(request, pk, change=True)
    _type_into(mailing, {name: request.POST[name] for name in WRITTEN if name in request.POST})
    person = previewing.person(mailing, request.POST.get("person", ""))
    trial = previewing.trial(mailing, person)
    if trial.is_busy:
        return JsonResponse({}, status=429)
    made = {"checks": checks.check(mailing, trial)}
    return JsonResponse(
        {
            "unsaved": keep(request, mailing, trial),
            "faults": [
                {"field": fault.field, "words": str(fault), "line": fault.line}
                for fault in trial.faults
            ],
            "checks": render_to_string("newsletter/checks.html", made, request),
        }
    )


def keep(request: HttpRequest, mailing: Mailing, trial: previewing.Trial) -> str:
    """Keep what was made for whoever asked, and return what the frame asks for it by."""
    staff = cast("int", request.user.pk)
    return kept_previews.keep(trial.preview, staff=staff, mailing=mailing.pk)


def _type_into(mailing: Mailing, typed: dict[str, str]) -> None:
    """Put typed fields on a mailing without saving it; rows of other clients stay out."""
    for name, value in typed.items():
        if name not in OF_THE_CLIENT:
            setattr(mailing, name, value)
        elif value.isascii() and value.isdigit() and len(value) < 19:
            rows = CHOSEN_MODELS[name]._default_manager
            row = rows.filter(client=mailing.client_id, pk=value).first()
            setattr(mailing, name, row or getattr(mailing, name))
        elif name == "template":
            mailing.template = None


@require_GET
def audience_now(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Count the audience; a part of its own, for a million takes a moment."""
    mailing = page.mailing(request, pk)
    return render(request, "newsletter/audience.html", {"audience": audience.audience(mailing)})


@require_POST
def people(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Find people of the audience by the beginning of an address (never in a URL)."""
    mailing = page.mailing(request, pk)
    registrants = previewing.people(mailing, request.POST.get("address", "").replace("\0", ""))
    if request.headers.get("Accept", "").startswith("application/json"):
        choices = [{"id": person.pk, "label": str(person)} for person in registrants]
        return JsonResponse({"people": choices})
    query = f"?person={registrants[0].pk}" if registrants else ""
    if not registrants:
        page.say(request, "Nobody of this audience has such an address.", 30)
    return HttpResponseRedirect(page.url("change", pk) + query)
