"""The page that shows how a trial mail of a sender went."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accountability import audit
from newsletter.receivers.sender_records import SELECTOR
from newsletter.review.sender_trials import send_trial
from redis_store import rate_limits
from registrants.scoped_admin import AdminPage

TRIALS_AT_ONCE, TRIALS_A_MINUTE = 5, 3


@never_cache
@require_POST
def trial(request: HttpRequest, page: AdminPage, pk: int) -> HttpResponse:
    """Send a trial mail to oneself and show the conversation: who may change the sender may."""
    sender = page.get_queryset(request).filter(pk=pk).first()
    if sender is None or not page.has_change_permission(request, sender):
        raise Http404("There is no such sender, or it is not yours to change.")
    back = reverse("admin:newsletter_sender_change", args=[pk])
    selector = str(request.POST.get("selector", "")).strip()
    address = str(getattr(request.user, "email", ""))
    if refusal := _refusal(request, address, selector):
        page.message_user(request, refusal, messages.WARNING)
        return HttpResponseRedirect(back)
    audit.record(act="trial", subject=sender, staff=request.user.pk, client=sender.client_id)
    context = page.admin_site.each_context(request) | {
        "title": f"Trial mail of {sender.name}",
        "sender": sender,
        "address": address,
        "selector": selector,
        "trial": send_trial(sender, address, selector=selector),
        "back": back,
        "again": request.path,
    }
    return render(request, "newsletter/sender_trial.html", context)


def _refusal(request: HttpRequest, address: str, selector: str) -> str:
    """Return why no trial mail is sent; "" where one is."""
    if not address:
        return "Your account has no e-mail address a trial mail could go to; have it added."
    if selector and not SELECTOR.fullmatch(selector):
        return "A DKIM selector has letters, digits, dots and hyphens only."
    try:
        if rate_limits.allow(
            f"trial:{request.user.pk}", rate=TRIALS_A_MINUTE / 60, burst=TRIALS_AT_ONCE
        ):
            return ""
    except rate_limits.LimitsUnavailable:
        return "No trial mail can be sent while Redis is away."
    return "That were many trial mails; wait a minute."
