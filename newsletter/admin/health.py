"""Whether all is well: for machines that watch, for monitoring, and for staff."""

import logging
import secrets
from collections.abc import Callable

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from accountability import audit
from accountability.roles import Right
from newsletter import fence
from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Mailing, Sender, SetAside
from newsletter.monitoring import health, metrics
from registrants.domains import WHO_ALLOWS
from registrants.models import ClientDomain
from registrants.scoped_admin import has_right

log = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 where all is well and 503 where not, with which part; no name, no secret.

    `?part=database` asks of some parts alone (a load balancer's question), and may be repeated.
    """
    part_names = request.GET.getlist("part")
    parts = [part for part in health.checks() if not part_names or part.name in part_names]
    is_well = bool(parts) and all(part.is_well for part in parts)
    reports = {
        part.name: {"well": part.is_well, "words": part.words}
        | ({} if part.seconds is None else {"seconds": round(part.seconds, 1)})
        for part in parts
    }
    answer = {"well": is_well, "parts": reports}
    return JsonResponse(answer, status=200 if is_well else 503)


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus, where it shows the token of HEED_METRICS_TOKEN; without one: 404."""
    token = settings.METRICS_TOKEN
    if not token:
        return HttpResponse("Not here.", status=404, content_type="text/plain")
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(shown.encode(), token.encode()):
        refused = HttpResponse("A token is needed.", status=401, content_type="text/plain")
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)


@never_cache
@require_safe
def health_page(request: HttpRequest) -> HttpResponse:
    """Show staff who set things up what is well, what waits, and what wants a person."""
    if not has_right(request, Right.SETTINGS):
        raise PermissionDenied
    parts = health.checks()
    has_database = all(part.is_well for part in parts if part.name == "database")
    asked: dict[str, Callable[[], object]] = {
        "lanes": health.lanes,
        "workers": health.workers,
        "wanted": lambda: _wanted(request),
        "set_aside": lambda: [_shown(row) for row in _set_aside(request)[:50]],
    }
    answers, untold = _answers(asked) if has_database else ({}, [])
    context = (
        admin.site.each_context(request)
        | answers
        | {
            "title": "Health",
            "parts": parts,
            "is_well": all(part.is_well for part in parts),
            "untold": untold,
            "now_url": f"{reverse('health')}?part=now",
        }
    )
    part = request.GET.get("part") == "now"
    return render(request, f"newsletter/health{'_now' if part else ''}.html", context)


def _answers(asked: dict[str, Callable[[], object]]) -> tuple[dict[str, object], list[str]]:
    """Return what can be told, by name, and what cannot: one part must not hide the others."""
    answers: dict[str, object] = {}
    for name, ask in asked.items():
        try:
            answers[name] = ask()
        except Exception:
            log.exception("the health page cannot tell: %s", name)
    return answers, sorted(set(asked) - set(answers))


@require_POST
def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Have one thing that is set aside be tried again now, and go back to the page."""
    if not has_right(request, Right.SETTINGS):
        raise PermissionDenied
    row = _set_aside(request).filter(pk=pk).first()
    if row is None:
        messages.info(request, "It is not set aside any more.")
    else:
        fence.release(SetAside.objects.filter(pk=pk))
        audit.record(act="try again", subject=row, staff=request.user.pk, client=row.client_id)
        messages.success(request, "It is tried again now.")
    return HttpResponseRedirect(reverse("health"))


def _set_aside(request: HttpRequest) -> QuerySet[SetAside]:
    """Return what is set aside of the clients within reach, and what is nobody's own."""
    within_reach = SetAside.objects.for_staff(request.user, Right.SETTINGS)
    shown = fence.shown(within_reach | SetAside.objects.filter(client=None))
    return shown.select_related("client", "mailing").defer("mailing__body", "mailing__compiled")


def _shown(row: SetAside) -> dict[str, object]:
    """Return one row for the page: what it is, where it stands, and how it may be tried again."""
    mailing = row.mailing
    step = "send" if mailing and mailing.state == Mailing.State.SCHEDULED else "progress"
    address = (
        reverse(f"admin:newsletter_{mailing.kind}_{step}", args=[mailing.pk]) if mailing else ""
    )
    return {
        "row": row,
        "what": mailing.subject if mailing else _what(row),
        "address": address,
        "try_url": reverse("health-try-again", args=[row.pk]),
    }


def _what(row: SetAside) -> str:
    """Return what is set aside that is no mailing; never an address."""
    letters = dict(Delivery.Letter.choices)
    what = SetAside.Step(row.step).label.capitalize()
    if row.letter:
        what += f" ({letters.get(row.letter, row.letter)})"
    if row.step == SetAside.Step.LETTER:
        what += f", delivery {row.number}"
    return f"{what} of {row.client}" if row.client else what


def _wanted(request: HttpRequest) -> list[tuple[str, str, str]]:
    """Return what wants a person: its name, why, and where; of the clients within reach alone."""
    senders = Sender.objects.for_staff(request.user, Right.SETTINGS).exclude(stopped_at=None)
    wanted = [
        (
            f"Sender “{sender.name}”",
            f"stopped: {sender.stopped_reason}",
            reverse("admin:newsletter_sender_change", args=[sender.pk]),
        )
        for sender in senders[:20]
    ]
    contested = ClientDomain.objects.for_staff(request.user, Right.SETTINGS)
    wanted += [
        (
            f"Domain {row.name} of {row.client}",
            f"used by another client as well. {WHO_ALLOWS}",
            reverse("admin:registrants_clientdomain_changelist"),
        )
        for row in contested.filter(is_contested=True).select_related("client")[:20]
    ]
    mailings = Mailing.objects.for_staff(request.user, Right.SETTINGS).defer("body", "compiled")
    for rows, why, step in (
        (health.with_undecided(mailings), "wants a decision on what is unknown", "unknown"),
        (lifecycle.overdue(mailings), "came due while the system was down", "send"),
    ):
        wanted += [
            (
                mailing.subject,
                why,
                reverse(f"admin:newsletter_{mailing.kind}_{step}", args=[mailing.pk]),
            )
            for mailing in rows[:20]
        ]
    return wanted
