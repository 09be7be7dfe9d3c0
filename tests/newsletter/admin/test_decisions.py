"""What only a person can decide, on pages that say what follows from it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse
from django.utils.timezone import now

from accountability.models import AuditEntry
from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Mailing
from tests.cast import PASSWORD, Cast, make_client, make_staff
from tests.newsletter.admin.test_steps import messages_of
from tests.newsletter.admin.test_writing import address
from tests.newsletter.delivery.test_resending_failed import with_failures
from tests.newsletter.delivery.test_resolving_unknown import CUT, LOST, states, with_unknown

pytestmark = pytest.mark.django_db


def test_the_progress_page_leads_to_the_decision(cast: Cast, browser: Browser) -> None:
    campaign = with_unknown(cast)
    page = browser.get(address("progress", campaign)).content.decode()
    assert "Of some mails nobody knows whether they arrived" in page
    assert address("unknown", campaign) in page


def test_the_page_says_how_many_since_when_what_was_heard_and_who(
    cast: Cast, browser: Browser
) -> None:
    page = browser.get(address("unknown", with_unknown(cast))).content.decode()
    assert "Of 5 mails nobody knows" in page
    assert "The first since" in page
    for text in (f"3: {LOST}", f"2: {CUT}", "reader0@example.net", "gets it twice", "Nothing yet"):
        assert text in page


def test_all_are_left_with_one_button_and_the_page_tells_who_did_it(
    cast: Cast, browser: Browser, marketer: User
) -> None:
    campaign = with_unknown(cast)
    answer = browser.post(address("unknown", campaign), {"choice": "accept"}, follow=True)
    assert "Nobody gets it twice" in messages_of(answer)
    assert "somebody decided to leave them so" in answer.content.decode()
    page = browser.get(address("unknown", campaign)).content.decode()
    assert "Nothing waits for a decision" in page
    assert "mara left 5 as they are" in page
    entry = AuditEntry.objects.get(act="accept unknown")
    assert (entry.staff, entry.detail["deliveries"]) == (marketer.pk, 5)


def test_one_group_is_sent_again_and_the_rest_waits(cast: Cast, browser: Browser) -> None:
    campaign = with_unknown(cast)
    ask = {"choice": "resend", "words": CUT}
    answer = browser.post(address("unknown", campaign), ask, follow=True)
    page = answer.content.decode()
    assert "Of 3 mails nobody knows" in page
    assert "mara had 2 sent again" in page
    assert states(campaign) == ["sent"] * 2 + ["staged"] * 2 + ["unknown"] * 3


def test_the_second_of_two_people_who_decide_is_told(cast: Cast, browser: Browser) -> None:
    campaign = with_unknown(cast)
    browser.post(address("unknown", campaign), {"choice": "resend"})
    answer = browser.post(address("unknown", campaign), {"choice": "accept"}, follow=True)
    assert "somebody may have been faster" in messages_of(answer)
    assert "unknown" not in states(campaign)


def test_of_a_cancelled_mailing_only_leaving_is_offered(cast: Cast, browser: Browser) -> None:
    campaign = with_unknown(cast)
    lifecycle.cancel(mailing=campaign, staff=1)
    page = browser.get(address("unknown", campaign)).content.decode()
    assert "Leave 5 as they are" in page
    assert "Send 5 again" not in page


def test_there_is_no_third_choice_and_no_getting_at_other_clients(
    cast: Cast, browser: Browser
) -> None:
    campaign = with_unknown(cast)
    assert browser.post(address("unknown", campaign), {"choice": "burn"}).status_code == 400
    make_staff("olga", client=make_client("Other", "other"))
    stranger = Browser()
    stranger.login(username="olga", password=PASSWORD)
    for step in ("unknown", "retry"):
        assert stranger.get(address(step, campaign)).status_code == 404
        assert stranger.post(address(step, campaign), {"choice": "accept"}).status_code == 404
    assert states(campaign).count("unknown") == 5


def test_what_failed_is_sent_again_from_a_page_that_names_both_numbers(
    cast: Cast, browser: Browser
) -> None:
    campaign = with_failures(cast)
    assert address("retry", campaign) in browser.get(address("progress", campaign)).content.decode()
    page = browser.get(address("retry", campaign)).content.decode()
    assert "Send 2 again" in page
    assert "1 is left alone" in page
    assert "No such user here" in page
    assert Delivery.objects.filter(state="failed").count() == 3
    answer = browser.post(address("retry", campaign), follow=True)
    assert "What failed goes again" in messages_of(answer)
    assert "It is going out" in answer.content.decode()
    again = browser.post(address("retry", campaign), follow=True)
    assert "Nothing that failed can be sent again" in messages_of(again)


def overdue(cast: Cast) -> Mailing:
    campaign = cast.campaign()
    lifecycle.schedule(mailing=campaign, at=now() + timedelta(hours=1), staff=1)
    Mailing.objects.filter(pk=campaign.pk).update(scheduled_at=now() - timedelta(hours=5))
    return campaign


def test_what_came_due_while_the_system_was_down_is_named_on_list_and_page(
    cast: Cast, browser: Browser
) -> None:
    campaign = overdue(cast)
    listed = browser.get(reverse("admin:newsletter_campaign_changelist")).content.decode()
    assert "Came due while the system was down" in listed
    assert address("send", campaign) in listed
    page = browser.get(address("progress", campaign), follow=True).content.decode()
    assert "It came due while the system was down" in page
    assert "Send to 1 person now" in page
    assert "Take the schedule back" in page


@pytest.mark.parametrize("step", ["send", "schedule"])
def test_what_is_overdue_is_sent_now_or_gets_another_time(
    cast: Cast, browser: Browser, step: str
) -> None:
    campaign = overdue(cast)
    at = f"{now() + timedelta(days=2):%Y-%m-%dT%H:%M}"
    browser.post(address(step, campaign), {"seen_version": 0, "at": at})
    campaign.refresh_from_db()
    assert campaign.state == {"send": "staging", "schedule": "scheduled"}[step]
    assert not lifecycle.is_overdue(campaign)
    listed = browser.get(reverse("admin:newsletter_campaign_changelist")).content.decode()
    assert "Came due while" not in listed
