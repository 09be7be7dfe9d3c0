"""One-click unsubscribe (RFC 8058): GET shows, POST acts; anybody who holds the mail may call."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from registrants import languages, tokens
from registrants.consent import Means
from registrants.models import Subscription
from registrants.provenance import provenance_of
from registrants.token_pages import private_page, unknown_link
from registrants.tokens import Scope
from tracking.unsubscribes import unsubscribe
from tracking.views.link_subscription import subscription_of

LARGEST_BODY = 4096


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
@private_page
def one_click(request: HttpRequest, token: str) -> HttpResponse:
    """Answer the List-Unsubscribe URL; the token decides, never the body (U-20 to U-24)."""
    named = subscription_of(Scope.UNSUBSCRIBE, token)
    if named is None:
        return unknown_link(request)
    subscription, mailing = named
    languages.speak(subscription.mailing_list.client.locale)
    page = {
        "subscription": subscription,
        "client": subscription.mailing_list.client,
        "is_ended": subscription.state == Subscription.State.ENDED,
        "more": tokens.make(Scope.PREFERENCES, subscription.pk, mailing),
    }
    if request.method != "POST":
        return render(request, "public/unsubscribe.html", page)
    request.read(LARGEST_BODY)
    by = provenance_of(request, Means.ONE_CLICK, mailing=mailing or None)
    unsubscribe(subscription=subscription, mailing=mailing, provenance=by)
    if "text/html" in request.headers.get("Accept", ""):
        return render(request, "public/unsubscribed.html", page)
    sentence = gettext("You are unsubscribed.")
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8")
