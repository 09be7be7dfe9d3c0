"""Whether all is well: for machines that watch, for monitoring, and for staff."""

import secrets

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from accountability.roles import Right
from newsletter.mailings import lifecycle
from newsletter.models import Mailing, Sender
from newsletter.monitoring import health, metrics
from registrants.scoped_admin import has_right


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
    context = admin.site.each_context(request) | {
        "title": "Health",
        "parts": parts,
        "is_well": all(part.is_well for part in parts),
        "lanes": health.lanes() if has_database else [],
        "workers": health.workers(),
        "wanted": _wanted(request),
        "now_url": f"{reverse('health')}?part=now",
    }
    part = request.GET.get("part") == "now"
    return render(request, f"newsletter/health{'_now' if part else ''}.html", context)


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
