"""The pages of the confirm letter: yes, this was me; no, never mail me. GET shows, POST acts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from registrants import consent, languages, suppression, tokens
from registrants.consent import Means
from registrants.models import ConsentEvent, Subscription, Suppression
from registrants.provenance import provenance_of
from registrants.token_pages import private_page, unknown_link
from registrants.tokens import Scope


def _ask(scope: Scope, token: str) -> ConsentEvent | None:
    named = tokens.read(scope, token)
    if named is None:
        return None
    events = ConsentEvent.objects.select_related("registrant__client", "mailing_list")
    return events.filter(pk=named[0], act=ConsentEvent.Act.ASKED).first()


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
@private_page
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show what was asked; on POST turn it into consent with its proof (L-20, O-4)."""
    ask = _ask(Scope.CONFIRM, token)
    if ask is None:
        return unknown_link(request)
    languages.speak(ask.registrant.client.locale)
    page = {"client": ask.registrant.client, "asked": _asked(ask)}
    if request.method == "POST" and consent.confirm(
        event=ask, provenance=provenance_of(request, Means.CONFIRM_PAGE)
    ):
        return render(request, "public/confirmed.html", page)
    if not consent.is_live(ask):
        return render(request, "public/ask_is_over.html", page, status=410)
    done = consent.is_confirmed(ask)
    return render(request, "public/confirmed.html" if done else "public/confirm.html", page)


def _asked(ask: ConsentEvent) -> list[str]:
    asks = consent.asks(ask).select_related("wording")
    return [event.wording.text for event in asks if event.wording]


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
@private_page
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """Show one button; on POST never mail this address again for this client (U-14)."""
    ask = _ask(Scope.NOT_ME, token)
    if ask is None:
        return unknown_link(request)
    languages.speak(ask.registrant.client.locale)
    if request.method == "POST":
        consent.never_mail(
            registrant=ask.registrant,
            provenance=provenance_of(request, Means.NOT_ME),
            reason=Subscription.Ended.NOT_ME,
        )
    is_done = request.method == "POST" or suppression.stands(
        address=ask.registrant.address,
        reason=Suppression.Reason.NEVER_MAIL,
        client=ask.registrant.client,
    )
    page = {"client": ask.registrant.client, "is_done": is_done}
    return render(request, "public/not_me.html", page)
