"""What only a person can decide: what becomes of the unknown, and whether the failed go again."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accountability.roles import Right
from newsletter.admin.mailing_admin import MailingAdmin
from newsletter.admin.steps import do
from newsletter.delivery import resending_failed, resolving_unknown
from newsletter.models import Delivery, Mailing

State = Mailing.State
DECISIONS = {
    "accept": (resolving_unknown.accept_unknown, "Left as they are. Nobody gets it twice."),
    "resend": (resolving_unknown.resend_unknown, "They are sent again."),
}


@require_http_methods(["GET", "HEAD", "POST"])
def unknown(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Show what nobody knows the end of and what was decided before; on POST decide."""
    deciding_now = request.method == "POST"
    mailing = page.mailing(request, pk, change=deciding_now)
    if deciding_now:
        return _decide(request, page, mailing)
    undecided = resolving_unknown.undecided(mailing)
    people = _people(request, undecided.sample)
    may = page.has_change_permission(request)
    context = page.context(request, mailing, "What nobody knows the end of") | {
        "found": undecided,
        "groups": [
            (group, [people[delivery] for delivery in group.sample if delivery in people])
            for group in undecided.groups
        ],
        "may_accept": may,
        "may_resend": may and mailing.state in (State.SENDING, State.PAUSED),
        "decided": resolving_unknown.decided(mailing),
        "zone": mailing.client.time_zone,
        "progress_url": page.url("progress", pk),
        "all_url": f"{reverse('admin:newsletter_delivery_changelist')}"
        f"?state__exact=unknown&mailing__id__exact={pk}",
    }
    return render(request, "newsletter/unknown.html", context)


def _people(request: HttpRequest, deliveries: list[int]) -> dict[int, Delivery]:
    """Return those of the deliveries whose people the signed-in person may see."""
    rows = Delivery.objects.for_staff(request.user, Right.REPORTS).filter(pk__in=deliveries)
    return {row.pk: row for row in rows.select_related("registrant")}


def _decide(request: HttpRequest, page: MailingAdmin, mailing: Mailing) -> HttpResponse:
    choice = request.POST.get("choice", "")
    if choice not in DECISIONS:
        raise BadRequest("There is no such choice.")
    act, done = DECISIONS[choice]
    answer = request.POST.get("words")
    answer = answer and answer.replace("\0", "")
    do(page, request, done, act, mailing=mailing, answer=answer)
    step = "unknown" if resolving_unknown.waits(mailing) else "progress"
    return HttpResponseRedirect(page.url(step, mailing.pk))


@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Show what failed, apart by whether sending again can help; on POST send that again."""
    mailing = page.mailing(request, pk, change=True)
    if request.method == "POST":
        do(
            page,
            request,
            "What failed goes again.",
            resending_failed.resend_failed,
            mailing=mailing,
        )
        return HttpResponseRedirect(page.url("progress", pk))
    context = page.context(request, mailing, "Retry only what failed") | {
        "failures": resending_failed.failures(mailing),
        "progress_url": page.url("progress", pk),
    }
    return render(request, "newsletter/retry.html", context)
