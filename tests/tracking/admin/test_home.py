"""The home page of the admin: what goes on, for those who may know."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse
from django.utils.timezone import now

from accountability.roles import Role
from newsletter.models import Lease, Mailing
from registrants.models import Client
from tests.cast import PASSWORD, Cast, make_client, make_list, make_staff
from tests.tracking.reporting.test_totals import happened, send
from tracking.admin import dashboard_data


@pytest.fixture
def marketer(cast: Cast) -> User:
    return make_staff("mara", client=cast.client)


@pytest.fixture
def administrator(cast: Cast) -> User:
    return make_staff("adam", client=cast.client, role=Role.ADMINISTRATOR)


def seen(staff: User | None) -> str:
    """Return the home page as one person sees it."""
    browser = Browser()
    if staff:
        assert browser.login(username=staff.username, password=PASSWORD)
    answer = browser.get(reverse("admin:index"))
    assert answer.status_code == (200 if staff else 302)
    return answer.content.decode()


def test_nobody_unknown_sees_anything(cast: Cast) -> None:
    send(cast)
    assert "News of the week" not in seen(None)


def test_what_goes_out_is_shown_with_its_progress(cast: Cast, marketer: User) -> None:
    campaign = send(cast)
    Mailing.objects.filter(pk=campaign.pk).update(state="sending", waiting_reason="It is down.")
    page = seen(marketer)
    assert reverse("admin:newsletter_campaign_progress", args=[campaign.pk]) in page
    assert "83 % of 6" in page
    assert "It waits: It is down." in page


def test_unknown_deliveries_wait_for_a_decision(cast: Cast, marketer: User) -> None:
    campaign = send(cast)
    page = seen(marketer)
    assert "One delivery ended unclear" in page
    assert reverse("admin:newsletter_campaign_unknown", args=[campaign.pk]) in page
    Lease.objects.update(closed_at=now())
    assert "Nothing waits for you." in seen(marketer)


def test_what_came_due_while_the_system_was_down_waits_for_a_person(
    cast: Cast, marketer: User
) -> None:
    due = now() - timedelta(hours=3)
    campaign = cast.campaign(state="scheduled", scheduled_at=due)
    page = seen(marketer)
    assert "It came due while the system was down" in page
    assert page.count(reverse("admin:newsletter_campaign_send", args=[campaign.pk])) == 1


def test_a_paused_mailing_says_why(cast: Cast, marketer: User) -> None:
    cast.campaign(state="paused", waiting_reason="The content has a fault: line 3")
    assert "The content has a fault: line 3" in seen(marketer)


def test_a_client_without_postal_address_is_pointed_out(
    cast: Cast, marketer: User, administrator: User
) -> None:
    """The administrator gets the page to mend it, the marketer hears whom to ask."""
    Client.objects.update(postal_address="")
    address = reverse("admin:registrants_client_change", args=[cast.client.pk])
    assert address in seen(administrator)
    page = seen(marketer)
    assert "no postal address" in page
    assert "An administrator can add it." in page
    assert address not in page


def test_what_is_scheduled_is_shown_on_the_clients_clock(cast: Cast, marketer: User) -> None:
    Client.objects.update(time_zone="Asia/Tokyo")
    at = (now() + timedelta(days=1)).replace(hour=3, minute=30)
    cast.campaign(state="scheduled", scheduled_at=at)
    page = seen(marketer)
    assert "12:30 (Asia/Tokyo)" in page


def test_last_results_have_rates_over_what_was_measured(cast: Cast, marketer: User) -> None:
    """L-46."""
    campaign = send(cast)
    happened(campaign, "ada", "opened")
    page = seen(marketer)
    assert "<dd>50 %</dd>" in page
    assert "33 % for opens, 67 % for clicks" in page
    assert reverse("admin:tracking_report_change", args=[campaign.pk]) in page


def test_notices_are_shown_to_those_who_may_send_them(
    cast: Cast, marketer: User, administrator: User
) -> None:
    """A marketer does not reach notices."""
    cast.notice(state="sent", staged=0, started_at=now(), finished_at=now())
    cast.notice(state="paused", subject="Another move")
    assert "Your account moves" in seen(administrator)
    assert "Another move" in seen(administrator)
    page = seen(marketer)
    assert "Your account moves" not in page
    assert "Another move" not in page
    assert reverse("admin:newsletter_notice_changelist") not in page


def test_another_clients_mail_is_not_shown(cast: Cast) -> None:
    """Clients are walls."""
    other = make_client("Other", "other")
    send(cast)
    cast.campaign(state="paused")
    assert "News of the week" not in seen(make_staff("otto", client=other))


def test_the_sidebar_has_the_pages_one_may_open(
    cast: Cast, marketer: User, administrator: User
) -> None:
    def links(page: str) -> set[str]:
        names = ("newsletter_campaign", "newsletter_sender", "registrants_registrant",
                 "tracking_report", "registrants_client", "auth_user",
                 "accountability_auditentry")  # fmt: skip
        return {name for name in names if reverse(f"admin:{name}_changelist") in page}

    mail = {"newsletter_campaign", "registrants_registrant", "tracking_report"}
    assert mail <= links(seen(marketer))
    assert not {"auth_user", "accountability_auditentry"} & links(seen(marketer))
    assert mail | {"newsletter_sender", "registrants_client"} <= links(seen(administrator))
    root = User.objects.create_superuser("root", "root@staff.example.org", PASSWORD)
    assert {"auth_user", "accountability_auditentry"} <= links(seen(root))


def test_an_empty_house_says_what_to_do_first(db: None) -> None:
    root = User.objects.create_superuser("root", "root@staff.example.org", PASSWORD)
    page = seen(root)
    assert reverse("admin:registrants_client_add") in page
    assert "Nothing has gone out yet." in page
    make_list(make_client())
    page = seen(root)
    assert reverse("admin:newsletter_sender_add") in page
    assert "Make a list" not in page


def test_somebody_without_a_client_is_told_so(cast: Cast) -> None:
    page = seen(make_staff("norman"))
    assert "assigned to no client yet" in page
    assert reverse("admin:newsletter_campaign_changelist") not in page


def test_with_everything_set_up_the_first_step_is_to_write(cast: Cast, marketer: User) -> None:
    assert "Write the first campaign" in seen(marketer)
    send(cast)
    assert "Write the first campaign" not in seen(marketer)


def test_a_large_mailing_is_added_up_once_a_minute(
    cast: Cast, marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_data, "LARGE_DELIVERIES", 1)
    campaign = send(cast)
    assert "<dd>0 %</dd>" in seen(marketer)
    happened(campaign, "ada", "opened")
    assert "<dd>50 %</dd>" not in seen(marketer)


def test_the_home_page_answers_without_redis(
    cast: Cast, marketer: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(dashboard_data, "LARGE_DELIVERIES", 1)
    backend = settings.CACHES["default"]["BACKEND"]
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:9"}}
    send(cast)
    assert "News of the week" in seen(marketer)
