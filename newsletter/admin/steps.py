"""From a finished draft to a mailing that is out: send, schedule, watch, pause, go on, cancel."""

import zoneinfo
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_POST

from newsletter import fence
from newsletter.admin.mailing_admin import MailingAdmin
from newsletter.content.errors import SourceErrors
from newsletter.delivery import resending_failed, resolving_unknown
from newsletter.mailings import audience, duplicating, extra_pages, freezing, lifecycle
from newsletter.models import Mailing
from newsletter.monitoring.progress import progress
from newsletter.monitoring.run_details import run_details
from newsletter.review import checks, previewing, sending_tests

State = Mailing.State
MOVES = {
    "pause": (lifecycle.pause, "Paused. What was on the wire has ended; nothing new begins."),
    "resume": (lifecycle.resume, "It goes on."),
    "try_again": (lifecycle.try_again, "It is tried again now."),
    "cancel": (lifecycle.cancel, "Cancelled. Nothing more of it will be sent."),
    "unschedule": (lifecycle.unschedule, "It is a draft again."),
}
OFFERED = {
    State.STAGING: [("pause", "Pause"), ("cancel", "Cancel for good")],
    State.SENDING: [("pause", "Pause"), ("cancel", "Cancel for good")],
    State.PAUSED: [("resume", "Go on"), ("cancel", "Cancel for good")],
}
CONFIRMED = {"cancel": "Nothing more of it will be sent, and this cannot be undone."}


def _may_go(page: MailingAdmin, request: HttpRequest, mailing: Mailing) -> bool:
    """Freeze what was looked at and check exactly that: every blocking check must pass."""
    if request.POST.get("seen_version") != str(mailing.version):
        page.say(
            request,
            "Somebody changed it after you opened this page. Look at it again before it goes.",
            messages.ERROR,
        )
        return False
    try:
        freezing.freeze(mailing)
    except SourceErrors as faults:
        for fault in faults.faults:
            page.say(request, f"Not sent: {fault.field}: {fault}", messages.ERROR)
        return False
    failed = [result for result in checks.check(mailing) if result.blocking and not result.passed]
    for result in failed:
        page.say(request, f"Not sent: {result.reason}", messages.ERROR)
    return not failed


def do(page: MailingAdmin, request: HttpRequest, done: str, act: Any, **given: Any) -> bool:
    """Do one act of approving and say how it went; the second of two people is told so."""
    try:
        act(staff=request.user.pk, **given)
    except lifecycle.NotPossible as refused:
        page.say(request, str(refused), messages.ERROR)
        return False
    page.say(request, done)
    return True


def send(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Ask once, naming the number of people; on POST send now."""
    mailing = page.mailing(request, pk, change=True)
    if request.method == "POST":
        if _may_go(page, request, mailing) and do(
            page, request, "It is going out.", lifecycle.send_now, mailing=mailing
        ):
            return HttpResponseRedirect(page.url("progress", pk))
        return HttpResponseRedirect(page.url("send", pk))
    if mailing.state not in (State.DRAFT, State.SCHEDULED):
        return HttpResponseRedirect(page.url("progress", pk))
    results = checks.check(mailing)
    zone = zoneinfo.ZoneInfo(mailing.client.time_zone)
    context = page.context(request, mailing, "Send or schedule") | {
        "audience": audience.audience(mailing),
        "checks": results,
        "blocked": any(result.blocking and not result.passed for result in results),
        "zone": mailing.client.time_zone,
        "now_there": f"{now().astimezone(zone):%H:%M}",
        "scheduled_there": mailing.scheduled_at
        and f"{mailing.scheduled_at.astimezone(zone):%A, %d %B %Y, %H:%M}",
        "send_url": page.url("send", pk),
        "schedule_url": page.url("schedule", pk),
        "unschedule_url": reverse(page.name("move"), args=[pk, "unschedule"]),
        "set_aside": list(fence.shown(mailing.set_aside.all())),
        "try_url": reverse(page.name("move"), args=[pk, "try_again"]),
        "overdue": lifecycle.is_overdue(mailing),
        "editable": mailing.state == State.DRAFT or lifecycle.is_overdue(mailing),
    }
    return render(request, "newsletter/send.html", context)


@require_POST
def schedule(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Schedule for a time on the client's clock."""
    mailing = page.mailing(request, pk, change=True)
    zone = zoneinfo.ZoneInfo(mailing.client.time_zone)
    try:
        at = datetime.fromisoformat(request.POST.get("at", "")).replace(tzinfo=zone)
        at.astimezone(zoneinfo.ZoneInfo("UTC")).astimezone(zone)
    except (ValueError, OverflowError):
        page.say(request, "Choose a day and a time.", messages.ERROR)
        return HttpResponseRedirect(page.url("send", pk))
    if at.astimezone(zoneinfo.ZoneInfo("UTC")).astimezone(zone).replace(fold=0) != at.replace(
        fold=0
    ):
        page.say(
            request, "The clocks are put forward then: this time does not exist.", messages.ERROR
        )
    elif _may_go(page, request, mailing):
        done = f"It will go out on {at:%A, %d %B %Y at %H:%M} ({mailing.client.time_zone})."
        if at.utcoffset() != at.replace(fold=1).utcoffset():
            done += " The clocks are put back then and this time comes twice; it goes the first."
        do(page, request, done, lifecycle.schedule, mailing=mailing, at=at)
    return HttpResponseRedirect(page.url("send", pk))


@require_POST
def move(request: HttpRequest, page: MailingAdmin, pk: int, move: str) -> HttpResponse:
    """Pause, go on, cancel, or make it a draft again."""
    mailing = page.mailing(request, pk, change=True)
    if move not in MOVES:
        raise BadRequest("There is no such move.")
    act, done = MOVES[move]
    do(page, request, done, act, mailing=mailing)
    if mailing.state == State.SCHEDULED and move == "try_again":
        return HttpResponseRedirect(page.url("send", pk))
    step = "change" if move == "unschedule" else "progress"
    return HttpResponseRedirect(page.url(step, pk))


def _progress(page: MailingAdmin, request: HttpRequest, mailing: Mailing) -> dict[str, object]:
    figures = progress(mailing, earlier=request.GET.get("earlier", ""))
    query = urlencode({"state": mailing.state, "earlier": figures.samples})
    may = page.has_change_permission(request)
    return {
        "mailing": mailing,
        "progress": figures,
        "run": run_details(mailing),
        "zone": mailing.client.time_zone,
        "now_url": f"{page.url('progress_now', mailing.pk)}?{query}",
        "under_way": mailing.state in (State.STAGING, State.SENDING, State.PAUSED),
        "unknown_url": page.url("unknown", mailing.pk),
        "set_aside": list(fence.shown(mailing.set_aside.all())),
        "try_url": reverse(page.name("move"), args=[mailing.pk, "try_again"]) if may else "",
        "is_decided": not resolving_unknown.waits(mailing),
        "retry_url": page.url("retry", mailing.pk)
        if may and figures.failed and mailing.state in resending_failed.STATES_TO_RETRY
        else "",
    }


@require_GET
def progress_page(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Show how a mailing goes, with what can be done about it."""
    mailing = page.mailing(request, pk)
    if mailing.state in (State.DRAFT, State.SCHEDULED):
        return HttpResponseRedirect(page.url("send", pk))
    may = page.has_change_permission(request)
    offered = OFFERED.get(State(mailing.state), []) if may else []
    moves = [
        (reverse(page.name("move"), args=[pk, move]), label, CONFIRMED.get(move, ""))
        for move, label in offered
    ]
    context = page.context(request, mailing, "Progress") | _progress(page, request, mailing)
    context |= {
        "moves": moves,
        "onward": extra_pages.pages(mailing),
        "duplicate_url": page.url("duplicate", pk) if may else "",
    }
    return render(request, "newsletter/progress.html", context)


@require_GET
def progress_now(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Return the part of the progress page that is asked for every second."""
    mailing = page.mailing(request, pk)
    context = _progress(page, request, mailing) | {"is_part": True}
    response = render(request, "newsletter/progress_now.html", context)
    if request.GET.get("state") != mailing.state:
        response["HX-Refresh"] = "true"
    return response


def test(page: MailingAdmin, request: HttpRequest, pk: int, typed: Sequence[str]) -> None:
    """Send a test of what is saved, to oneself or to chosen staff, and say how it went."""
    mailing, staff = page.mailing(request, pk), cast("User", request.user)
    person = previewing.person(mailing, request.POST.get("person", ""))
    try:
        to = sending_tests.chosen(mailing, staff, typed)
        sending_tests.send_test(mailing, asked_by=staff, to=to, registrant=person)
    except sending_tests.NotSent as refused:
        page.say(request, f"No test was sent. {refused}", messages.ERROR)
    else:
        addresses = ", ".join(recipient.email for recipient in to)
        page.say(request, f"A test is on its way to {addresses}; its links are inert.")


@require_POST
def test_again(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Send a test to oneself, or to staff of the client chosen from a list."""
    page.mailing(request, pk, change=True)
    test(page, request, pk, request.POST.getlist("to"))
    return HttpResponseRedirect(page.url("change", pk))


@require_POST
def duplicate(request: HttpRequest, page: MailingAdmin, pk: int) -> HttpResponse:
    """Make a new draft with the same content."""
    mailing = page.mailing(request, pk, change=True)
    copy = duplicating.duplicate(mailing=mailing, staff=request.user.pk)
    page.say(request, "This is a new draft with the same content.")
    return HttpResponseRedirect(page.url("change", copy.pk))
