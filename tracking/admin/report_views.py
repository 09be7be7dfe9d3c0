"""The staff pages of one report: its figures, its deliveries, its file; for whoever may read it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from newsletter.models import Delivery, Mailing
from registrants import gate
from registrants.scoped_admin import AdminPage
from tracking.reporting import cards, charts, csv_export, deliveries, report_access, totals

YES_NO = [("", "Either way"), ("yes", "Yes"), ("no", "No")]


def _found(request: HttpRequest, pk: int) -> Mailing:
    """Return a mailing whose report is within reach; raise Http404 where it is not."""
    mailing: Mailing | None = (
        report_access.mailings(request.user)
        .select_related("client", "mailing_list", "service")
        .filter(pk=pk, started_at__isnull=False)
        .first()
    )
    if mailing is None:
        raise Http404("There is no such report, or it is not yours to read.")
    return mailing


def _context(
    request: HttpRequest, page: AdminPage, mailing: Mailing, title: str
) -> dict[str, object]:
    """Return what every page of a report shows around its content."""
    return {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": title,
        "subtitle": str(mailing),
        "mailing": mailing,
        "is_measured": mailing.kind == Mailing.Kind.CAMPAIGN,
        "report_url": reverse("admin:tracking_report_change", args=[mailing.pk]),
        "deliveries_url": reverse("admin:tracking_report_deliveries", args=[mailing.pk]),
        "export_url": reverse("admin:tracking_report_export", args=[mailing.pk]),
        "is_nav_sidebar_enabled": True,
    }


@require_GET
def report_page(request: HttpRequest, page: AdminPage, pk: int) -> HttpResponse:
    """Show the figures of one mailing."""
    mailing = _found(request, pk)
    report = totals.report(mailing)
    context = _context(request, page, mailing, "Report") | {
        "report": report,
        "cards": cards.cards(mailing, report),
        "chart": charts.chart(report, mailing.client.time_zone),
        "states": _states(report.counts),
        "left_out": sum(reason.count for reason in report.left_out),
    }
    return render(request, "tracking/report.html", context)


def _states(counts: totals.Counts) -> list[tuple[str, int, str]]:
    """Return each state there is, in words, with its count and the list narrowed to it."""
    return [
        (label, count, f"?{urlencode({'state': state})}")
        for state, label in Delivery.State.choices
        if (count := getattr(counts, state, 0))
    ]


@require_GET
def deliveries_page(request: HttpRequest, page: AdminPage, pk: int) -> HttpResponse:
    """Show what became of each mail, narrowed as asked."""
    mailing = _found(request, pk)
    query = {name: request.GET.get(name, "") for name in ("state", "refusal", "opened", "clicked")}
    after = request.GET.get("after", "")
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    rows, onward = deliveries.delivery_page(
        mailing, deliveries.DeliveryFilter(**query, after=number)
    )
    kept = {name: value for name, value in query.items() if value}
    context = _context(request, page, mailing, "Deliveries") | {
        "rows": rows,
        "next_url": f"?{urlencode(kept | {'after': onward})}" if onward else "",
        "first_url": f"?{urlencode(kept)}" if number else "",
        "is_narrowed": bool(kept),
        "choices": _choices(query, mailing),
    }
    return render(request, "tracking/deliveries.html", context)


def _choices(query: dict[str, str], mailing: Mailing) -> list[tuple[str, str, str, Any]]:
    """Return the fields to narrow by: name, label, what is chosen, what there is to choose."""
    everything = [("", "All")]
    offered = [
        ("state", "State", everything + list(Delivery.State.choices)),
        ("refusal", "Refused because", everything + list(gate.Refusal.choices)),
    ]
    if mailing.kind == Mailing.Kind.CAMPAIGN:
        offered += [("opened", "Opened", YES_NO), ("clicked", "Clicked", YES_NO)]
    return [(name, label, query[name], choices) for name, label, choices in offered]


@require_POST
def export_page(request: HttpRequest, page: AdminPage, pk: int) -> StreamingHttpResponse:
    """Send the deliveries as a CSV file, line by line, and note that in the audit trail."""
    mailing = _found(request, pk)
    lines = csv_export.export(mailing=mailing, staff=request.user.pk)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="deliveries-{mailing.pk}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer
