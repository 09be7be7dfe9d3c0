"""The home page of the admin and its navigation, each part shown only to those who may see it."""

import zoneinfo
from datetime import datetime

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import now

from accountability.roles import Right
from newsletter.mailings import extra_pages
from newsletter.models import Campaign, Mailing, SetAside
from registrants.models import Client
from registrants.scoped_admin import has_right
from tracking.admin import dashboard_data

GROUPS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "Mail",
        [
            ("Campaigns", "campaign", "newsletter.campaign"),
            ("Service notices", "notifications", "newsletter.notice"),
            ("Layouts", "web", "newsletter.template"),
            ("Senders", "outgoing_mail", "newsletter.sender"),
        ],
    ),
    (
        "People",
        [
            ("Registrants", "group", "registrants.registrant"),
            ("Lists", "list_alt", "registrants.mailinglist"),
            ("Services", "handyman", "registrants.service"),
            ("Enrolments", "how_to_reg", "registrants.enrolment"),
        ],
    ),
    (
        "Results",
        [
            ("Reports", "monitoring", "tracking.report"),
            ("Deliveries", "mark_email_read", "newsletter.delivery"),
        ],
    ),
    (
        "House",
        [
            ("Clients", "store", "registrants.client"),
            ("Domains", "dns", "registrants.clientdomain"),
            ("Staff", "badge", "auth.user"),
            ("Assignments", "assignment_ind", "registrants.assignment"),
            ("Audit trail", "history", "accountability.auditentry"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, object]]:
    """Return the groups of the sidebar with the pages the signed-in person may open."""
    pages = {model._meta.label_lower: page for model, page in admin.site._registry.items()}
    groups: list[dict[str, object]] = [
        {"items": [{"title": "Home", "icon": "home", "link": reverse("admin:index")}]}
    ]
    for title, entries in GROUPS:
        items = [
            {
                "title": label,
                "icon": icon,
                "link": reverse(f"admin:{name.replace('.', '_')}_changelist"),
            }
            for label, icon, name in entries
            if name in pages and pages[name].has_module_permission(request)
        ]
        if title == "House" and has_right(request, Right.SETTINGS):
            health = {"title": "Health", "icon": "monitor_heart", "link": reverse("health")}
            items.append(health)
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def dashboard(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    """Return what the home page shows: now, to decide, soon, last results, and where to begin."""
    staff = request.user
    context |= {
        "title": "Home",
        "going": [_going(going) for going in dashboard_data.going(staff)],
        "decisions": _decisions(request),
        "soon": [_scheduled(mailing) for mailing in dashboard_data.scheduled(staff)],
        "results": [_result(result) for result in dashboard_data.results(staff)],
        "begin": _begin(request),
        "write_url": _write(request),
        "drafts_url": _drafts(request),
    }
    return context


def _page(mailing: Mailing, step: str) -> str:
    return reverse(f"admin:newsletter_{mailing.kind}_{step}", args=[mailing.pk])


def _of(mailing: Mailing) -> str:
    return f"{mailing.get_kind_display()} of {mailing.client}"


def _going(going: dashboard_data.Going) -> dict[str, object]:
    return {
        "mailing": going.mailing,
        "of": _of(going.mailing),
        "progress": going.progress,
        "url": _page(going.mailing, "progress"),
    }


def _decisions(request: HttpRequest) -> list[dict[str, object]]:
    """Return what waits for somebody, the most pressing first; `url` may be empty."""
    decisions = [
        _decision_undecided(undecided) for undecided in dashboard_data.undecided(request.user)
    ]
    decisions += [_decision_set_aside(row) for row in dashboard_data.set_aside(request.user)]
    decisions += [
        {
            "what": mailing.subject,
            "of": _of(mailing),
            "why": "It came due while the system was down, and was not sent.",
            "act": "Send it or choose another time",
            "url": _page(mailing, "send"),
        }
        for mailing in dashboard_data.overdue(request.user)
    ]
    decisions += [
        {
            "what": mailing.subject,
            "of": _of(mailing),
            "why": mailing.waiting_reason or "It is paused, and goes on when somebody says so.",
            "act": "Go on or cancel",
            "url": _page(mailing, "progress"),
        }
        for mailing in dashboard_data.paused(request.user)
    ]
    decisions += [
        _decision_client(request, client) for client in dashboard_data.held_back(request.user)
    ]
    return decisions


def _decision_undecided(undecided: dashboard_data.UndecidedMailing) -> dict[str, object]:
    many = f"{undecided.count:,} deliveries" if undecided.count > 1 else "One delivery"
    return {
        "what": undecided.mailing.subject,
        "of": _of(undecided.mailing),
        "why": f"{many} ended unclear: the mail server may or may not have taken"
        f" {'them' if undecided.count > 1 else 'it'}. Nothing is sent twice by itself.",
        "act": "Decide",
        "url": _page(undecided.mailing, "unknown"),
    }


def _decision_set_aside(row: SetAside) -> dict[str, object]:
    mailing = row.mailing
    if mailing is None:
        return {
            "what": f"Letters of {row.client}",
            "of": "client",
            "why": row.reason,
            "act": "See the health page",
            "url": reverse("health"),
        }
    return {
        "what": mailing.subject,
        "of": _of(mailing),
        "why": row.reason,
        "act": "See it and try again",
        "url": _page(mailing, "send" if mailing.state == Mailing.State.SCHEDULED else "progress"),
    }


def _decision_client(request: HttpRequest, client: Client) -> dict[str, object]:
    may = Client.objects.for_staff(request.user, Right.SETTINGS).filter(pk=client.pk).exists()
    on_hold = client.on_hold_at is not None
    return {
        "what": client.name,
        "of": "client",
        "why": "On hold: no campaign of this client leaves."
        if on_hold
        else "There is no postal address, so no campaign of this client may go out."
        + ("" if may else " An administrator can add it."),
        "act": "Open the client" if on_hold else "Add the address",
        "url": reverse("admin:registrants_client_change", args=[client.pk]) if may else "",
    }


def _scheduled(mailing: Mailing) -> dict[str, object]:
    zone = zoneinfo.ZoneInfo(mailing.client.time_zone)
    return {
        "mailing": mailing,
        "of": _of(mailing),
        "at": _moment(mailing.scheduled_at, zone),
        "zone": mailing.client.time_zone,
        "url": _page(mailing, "send"),
    }


def _moment(at: datetime | None, zone: zoneinfo.ZoneInfo) -> str:
    there = (at or now()).astimezone(zone)
    return f"{there:%A}, {there.day} {there:%B %Y, %H:%M}"


def _result(result: dashboard_data.CampaignResult) -> dict[str, object]:
    zone = zoneinfo.ZoneInfo(result.mailing.client.time_zone)
    return {
        "mailing": result.mailing,
        "of": _of(result.mailing),
        "at": _moment(result.mailing.finished_at or result.mailing.started_at, zone),
        "counts": result.summary.counts,
        "tracked": result.mailing.kind == Mailing.Kind.CAMPAIGN,
        "open_rate": percent(result.summary.open_rate),
        "click_rate": percent(result.summary.click_rate),
        "unsubscribed": result.summary.reaction.unsubscribed,
        "untracked": percent(result.summary.opens_untracked),
        "untracked_clicks": percent(result.summary.clicks_untracked),
        "pages": extra_pages.pages(result.mailing),
    }


def percent(share: float | None) -> str:
    """Return a share in words: one decimal below ten percent, a dash where there is no rate."""
    if share is None:
        return "–"
    return f"{share * 100:.0f} %" if share >= 0.1 or share == 0 else f"{share * 100:.1f} %"


def _write(request: HttpRequest) -> str:
    """Return where a campaign is begun, empty for whoever may not or cannot yet."""
    clients = Client.objects.for_staff(request.user, Right.CAMPAIGNS)
    ready = clients.filter(lists__isnull=False, senders__isnull=False).exists()
    return reverse("admin:newsletter_campaign_add") if ready else ""


def _drafts(request: HttpRequest) -> str:
    """Return where begun campaigns lie, empty where there is none."""
    campaigns = Campaign.objects.for_staff(request.user, Right.CAMPAIGNS)
    if not campaigns.filter(state=Campaign.State.DRAFT).exists():
        return ""
    return reverse("admin:newsletter_campaign_changelist") + "?state__exact=draft"


def _begin(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the steps to a first campaign that are still ahead, each with its page if any."""
    if not has_right(request, None):
        return [("You are assigned to no client yet. Whoever runs this can assign you to one.", "")]
    campaigns = Campaign.objects.for_staff(request.user, Right.CAMPAIGNS)
    if campaigns.filter(started_at__isnull=False).exists():
        return []
    return _first_steps(request)


def _first_steps(request: HttpRequest) -> list[tuple[str, str]]:
    clients = Client.objects.for_staff(request.user)
    may = has_right(request, Right.SETTINGS)
    steps = [
        ("Make a client: the organisation mail is sent for", "admin:registrants_client_add",
         clients),
        ("Make a list people can say yes to", "admin:registrants_mailinglist_add",
         clients.filter(lists__isnull=False)),
        ("Set up a sender: the address mail comes from", "admin:newsletter_sender_add",
         clients.filter(senders__isnull=False)),
    ]  # fmt: skip
    ahead = [
        (label, reverse(page) if may else "") for label, page, there in steps if not there.exists()
    ]
    if ahead:
        return ahead
    if not has_right(request, Right.CAMPAIGNS):
        return []
    return [("Write the first campaign", reverse("admin:newsletter_campaign_add"))]
