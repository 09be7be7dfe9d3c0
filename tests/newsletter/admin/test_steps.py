"""From a finished draft to a mailing that is out, and what can be done about it on the way."""

import zoneinfo
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse
from django.utils.timezone import now

from newsletter import sandbox
from newsletter.delivery import staging
from newsletter.mailings import extra_pages, lifecycle
from newsletter.models import Campaign, Mailing
from tests.cast import PASSWORD, Cast, make_list, make_staff
from tests.newsletter.admin.test_writing import address, typed

pytestmark = pytest.mark.django_db
State = Mailing.State


def messages_of(answer: Any) -> str:
    """Return the messages of a page."""
    return " ".join(str(message) for message in answer.context["messages"])


def move(mailing: Mailing, step: str) -> str:
    """Return the address of one move."""
    return reverse("admin:newsletter_campaign_move", args=[mailing.pk, step])


def test_sending_is_confirmed_with_the_number_of_people(cast: Cast, browser: Browser) -> None:
    """One page names how many, and one button sends."""
    campaign = cast.campaign()
    page = browser.get(address("send", campaign))
    assert "Send to 1 person now" in page.content.decode()
    assert "not on this list" not in page.content.decode()
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT
    answer = browser.post(address("send", campaign), {"seen_version": 0})
    campaign.refresh_from_db()
    assert answer["Location"] == address("progress", campaign)
    assert campaign.state == State.STAGING


def test_of_two_people_who_press_send_the_second_is_told(cast: Cast, browser: Browser) -> None:
    """Bad input: two people pressing send at once; one campaign goes out, once."""
    campaign = cast.campaign()
    make_staff("max", client=cast.client)
    second = Browser()
    second.login(username="max", password=PASSWORD)
    browser.post(address("send", campaign), {"seen_version": 0})
    answer = second.post(address("send", campaign), {"seen_version": 0}, follow=True)
    assert "Somebody may have been faster" in messages_of(answer)
    assert staging.stage_due() == 1
    assert staging.stage_due() == 0


def test_what_failed_a_check_does_not_go_whatever_is_posted(cast: Cast, browser: Browser) -> None:
    """The page offers no button, and a forged one is refused with the reasons."""
    campaign = cast.campaign(body="{{ registrant.nmae }}")
    assert b"mend what failed" in browser.get(address("send", campaign)).content
    answer = browser.post(address("send", campaign), {"seen_version": 0}, follow=True)
    assert "registrant.nmae" in messages_of(answer)
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT


def test_a_list_with_nobody_on_it_is_not_sent_to(cast: Cast, browser: Browser) -> None:
    """Bad input."""
    campaign = cast.campaign(mailing_list=make_list(cast.client, "Empty", "empty"))
    answer = browser.post(address("send", campaign), {"seen_version": 0}, follow=True)
    assert "Nobody would get it" in messages_of(answer)


def test_what_was_changed_after_the_page_was_opened_does_not_go(
    cast: Cast, browser: Browser
) -> None:
    """What is sent is what was looked at."""
    campaign = cast.campaign()
    browser.post(address("change", campaign), typed(campaign, subject="Else"))
    answer = browser.post(address("send", campaign), {"seen_version": 0}, follow=True)
    assert "Look at it again" in messages_of(answer)
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT


def test_saving_can_lead_on_to_sending(cast: Cast, browser: Browser) -> None:
    """The button saves what is typed first."""
    campaign = cast.campaign()
    answer = browser.post(
        address("change", campaign),
        typed(campaign, subject="Typed", newsletter_campaign_save_and_send="1"),
    )
    assert answer["Location"] == address("send", campaign)
    campaign.refresh_from_db()
    assert campaign.subject == "Typed"


@time_machine.travel("2026-06-01T08:00:00Z", tick=False)
def test_a_schedule_is_on_the_clients_clock_and_can_be_taken_back(
    cast: Cast, marketer: User
) -> None:
    """The client's time zone is shown and meant."""
    browser = Browser()
    browser.login(username=marketer.username, password=PASSWORD)
    cast.client.time_zone = "Europe/Berlin"
    cast.client.save()
    campaign = cast.campaign()
    assert (
        "(Europe/Berlin; it is 10:00 there)"
        in browser.get(address("send", campaign)).content.decode()
    )
    ask = {"seen_version": 0, "at": "2026-06-02T09:30"}
    answer = browser.post(address("schedule", campaign), ask, follow=True)
    assert "Tuesday, 02 June 2026 at 09:30 (Europe/Berlin)" in messages_of(answer)
    campaign.refresh_from_db()
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    assert campaign.scheduled_at == datetime(2026, 6, 2, 9, 30, tzinfo=berlin)
    assert campaign.state == State.SCHEDULED
    back = browser.post(move(campaign, "unschedule"))
    assert back["Location"] == address("change", campaign)
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("", "Choose a day"),
        ("tomorrow", "Choose a day"),
        ("2020-01-01T10:00", "This time is past"),
        ("0001-01-01T00:00", "Choose a day"),
        ("2999-03-31T02:30", "does not exist"),
    ],
)
def test_a_time_that_cannot_be_is_refused(
    cast: Cast, browser: Browser, at: str, message: str
) -> None:
    """The hour the clocks leave out is said, not shifted."""
    cast.client.time_zone = "Europe/Berlin"
    cast.client.save()
    campaign = cast.campaign()
    ask = {"seen_version": 0, "at": at}
    answer = browser.post(address("schedule", campaign), ask, follow=True)
    assert message in messages_of(answer)
    campaign.refresh_from_db()
    assert campaign.state == State.DRAFT


@pytest.mark.parametrize("zone", ["America/Anchorage", "Pacific/Kiritimati"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_the_ends_of_all_time_are_no_times_to_send_at(
    cast: Cast, browser: Browser, at: str, zone: str
) -> None:
    """Somewhere on earth they cannot be reckoned with; nobody is shown an error of ours."""
    cast.client.time_zone = zone
    cast.client.save()
    answer = browser.post(address("schedule", cast.campaign()), {"seen_version": 0, "at": at})
    assert answer.status_code == 302


def test_of_a_time_that_comes_twice_it_is_said_that_the_first_counts(
    cast: Cast, browser: Browser
) -> None:
    """Clocks in Berlin go back from 3:00 to 2:00 on 27 October 2999."""
    cast.client.time_zone = "Europe/Berlin"
    cast.client.save()
    campaign = cast.campaign()
    ask = {"seen_version": 0, "at": "2999-10-27T02:30"}
    answer = browser.post(address("schedule", campaign), ask, follow=True)
    assert "comes twice; it goes the first" in messages_of(answer)
    campaign.refresh_from_db()
    assert f"{campaign.scheduled_at:%Y-%m-%d %H:%M}" == "2999-10-27 00:30"


def test_a_campaign_under_way_is_paused_resumed_and_cancelled(cast: Cast, browser: Browser) -> None:
    """Each by one button of the progress page."""
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=1)
    staging.stage_due()
    page = browser.get(address("progress", campaign)).content.decode()
    assert "It is going out" in page
    assert 'hx-trigger="every 1s"' in page
    for step, state in (("pause", State.PAUSED), ("resume", State.SENDING),
                        ("cancel", State.CANCELLED)):  # fmt: skip
        assert move(campaign, step) in browser.get(address("progress", campaign)).content.decode()
        browser.post(move(campaign, step))
        campaign.refresh_from_db()
        assert campaign.state == state
    assert "every 1s" not in browser.get(address("progress", campaign)).content.decode()
    again = browser.post(move(campaign, "resume"), follow=True)
    assert "nothing was done" in messages_of(again)
    assert browser.post(move(campaign, "explode")).status_code == 400


def test_the_progress_says_why_it_waits_and_reloads_when_the_state_moves(
    cast: Cast, browser: Browser
) -> None:
    """Bad input: an SMTP server that is down."""
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=1)
    staging.stage_due()
    lifecycle.wait(
        mailing=campaign.pk,
        reason="The mail server is down: refused",
        until=now() + timedelta(0, 9),
    )
    ask = address("progress_now", campaign)
    answer = browser.get(ask, {"state": "sending"})
    assert "The mail server is down: refused" in answer.content.decode()
    assert "It goes on by itself at" in answer.content.decode()
    assert "HX-Refresh" not in answer
    assert browser.get(ask, {"state": "staging"})["HX-Refresh"] == "true"


def test_what_was_sent_can_become_a_new_draft(cast: Cast, browser: Browser) -> None:
    """Undo of a mistake: the same content once more."""
    campaign = cast.campaign(preheader="Once")
    lifecycle.send_now(mailing=campaign, staff=1)
    browser.post(address("duplicate", campaign))
    copy = Campaign.objects.first()
    assert copy is not None
    assert copy.pk != campaign.pk
    assert (copy.preheader, copy.state, copy.version) == ("Once", State.DRAFT, 0)


def test_pages_of_other_packages_are_offered_on(
    cast: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is above calls in; the report appears without being named here."""
    monkeypatch.setattr(extra_pages, "_offered", {})
    extra_pages.offer("Report", lambda mailing: f"/admin/report/{mailing.pk}/")
    extra_pages.offer("Nothing", lambda _: "")
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=1)
    page = browser.get(address("progress", campaign)).content.decode()
    assert f'href="/admin/report/{campaign.pk}/"' in page
    assert "Nothing</a>" not in page


def test_a_get_moves_nothing(cast: Cast, browser: Browser) -> None:
    """Moves are posted, with the token of the form."""
    campaign = cast.campaign()
    for step in ("schedule", "test", "duplicate", "unsaved"):
        assert browser.get(address(step, campaign)).status_code == 405
    assert browser.get(move(campaign, "cancel")).status_code == 405
    strict = Browser(enforce_csrf_checks=True)
    strict.login(username="mara", password=PASSWORD)
    assert strict.post(address("send", campaign), {"seen_version": 0}).status_code == 403


def test_the_pages_say_since_when_it_is_frozen(cast: Cast, browser: Browser) -> None:
    """The page of writing, the page of the schedule, and the one of its progress."""
    campaign = cast.campaign()
    assert "Frozen since" not in browser.get(address("change", campaign)).content.decode()
    with time_machine.travel("2026-11-02T09:00:00Z", tick=False):
        lifecycle.schedule(mailing=campaign, at=now() + timedelta(days=400), staff=1)
    for step in ("change", "send"):
        page = browser.get(address(step, campaign)).content.decode()
        assert "Frozen since Monday, 2 November 2026, 09:00 (UTC)" in page
    Mailing.objects.filter(pk=campaign.pk).update(state=State.STAGING)
    assert "Frozen since" in browser.get(address("progress", campaign)).content.decode()


def test_exactly_what_is_frozen_is_checked(cast: Cast, browser: Browser) -> None:
    """The checks are given what is stored, not a second compilation."""
    campaign = cast.campaign()
    with patch.object(sandbox, "compile_mail", wraps=sandbox.compile_mail) as compile_mail:
        browser.post(address("send", campaign), {"seen_version": 0})
    campaign.refresh_from_db()
    assert campaign.state == State.STAGING
    assert compile_mail.call_count == 1


def test_what_is_no_mail_is_not_sent_and_says_why(cast: Cast, browser: Browser) -> None:
    """It is told at its field; no page answers 500."""
    campaign = cast.campaign(body="one\n{% if %}")
    answer = browser.post(address("send", campaign), {"seen_version": 0}, follow=True)
    assert "Not sent: body:" in messages_of(answer)
    assert "line 2" in messages_of(answer)
