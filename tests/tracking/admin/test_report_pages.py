"""The pages of a report: for whoever may read it, and for nobody else.

Mirrors several: tracking/admin/report.py, tracking/admin/report_views.py.
"""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse
from django.utils.timezone import now

from accountability.models import AuditEntry
from accountability.roles import Role
from newsletter.models import Campaign, Delivery, Mailing
from registrants.models import Registrant
from tests.cast import PASSWORD, Cast, make_client, make_staff
from tests.tracking.reporting.test_totals import happened, send
from tracking.reporting import deliveries

PAGES = ("change", "deliveries")


@pytest.fixture
def sent(cast: Cast) -> Campaign:
    return send(cast)


@pytest.fixture
def marketer(cast: Cast) -> User:
    return make_staff("mara", client=cast.client)


def browser(staff: User | None) -> Browser:
    """Return a browser, signed in where there is somebody to sign in."""
    visitor = Browser()
    if staff:
        assert visitor.login(username=staff.username, password=PASSWORD)
    return visitor


def address(mailing: Mailing, page: str = "change") -> str:
    return reverse(f"admin:tracking_report_{page}", args=[mailing.pk])


def shown(staff: User, mailing: Mailing, **narrowed: Any) -> list[str]:
    """Return who is on the list of deliveries, as one person sees it narrowed."""
    answer = browser(staff).get(address(mailing, "deliveries"), narrowed)
    assert answer.status_code == 200
    return [row.delivery.registrant.name for row in answer.context["rows"]]


def test_a_report_shows_numbers_rates_links_and_a_chart(sent: Campaign, marketer: User) -> None:
    happened(sent, "ada", "opened")
    happened(sent, "ada", "clicked", 1, link=1)
    page = browser(marketer).get(address(sent)).content.decode()
    assert "News of the week" in page
    assert "50.0 %" in page
    assert "https://heron.example.org/1" in page
    assert '<svg viewBox="' in page
    assert "The same as a table" in page
    assert "has not confirmed" in page
    assert "unsubscribed or ended" in page


def test_a_report_with_nothing_back_says_so(sent: Campaign, marketer: User) -> None:
    page = browser(marketer).get(address(sent)).content.decode()
    assert "Nothing has been opened or clicked yet." in page


@pytest.mark.parametrize("role", [Role.MARKETER, Role.ADMINISTRATOR])
def test_another_clients_report_is_not_there(sent: Campaign, role: str) -> None:
    """Clients are walls: 404, and nothing is taken out."""
    stranger = browser(make_staff("otto", client=make_client("Other", "other"), role=role))
    for page in PAGES:
        assert stranger.get(address(sent, page)).status_code == 404
    assert stranger.post(address(sent, "export")).status_code == 404
    assert not AuditEntry.objects.filter(act="export").exists()


def test_nobody_unknown_reads_a_report(sent: Campaign) -> None:
    for page in PAGES:
        answer = browser(None).get(address(sent, page))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("admin:login"))
    assert browser(None).post(address(sent, "export")).status_code == 302


def test_a_draft_has_no_report(cast: Cast, marketer: User) -> None:
    assert browser(marketer).get(address(cast.campaign())).status_code == 404


def test_a_notices_report_is_for_those_who_may_send_notices(cast: Cast, marketer: User) -> None:
    """It has its numbers and nothing measured."""
    notice = cast.notice(state="sent", staged=1, started_at=now(), finished_at=now())
    administrator = make_staff("adam", client=cast.client, role=Role.ADMINISTRATOR)
    assert browser(marketer).get(address(notice)).status_code == 404
    answer = browser(administrator).get(address(notice))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "A notice is never measured" in page
    assert "<svg viewBox" not in page
    offered = browser(administrator).get(address(notice, "deliveries")).content.decode()
    assert 'name="opened"' not in offered
    for staff, seen in ((marketer, False), (administrator, True)):
        listing = browser(staff).get(reverse("admin:tracking_report_changelist"))
        assert ("Your account moves" in listing.content.decode()) is seen


def test_deliveries_are_narrowed(sent: Campaign, marketer: User) -> None:
    happened(sent, "ada", "opened")
    happened(sent, "ada", "clicked", link=0)
    assert len(shown(marketer, sent)) == 6
    assert shown(marketer, sent, state="sent", opened="no") == ["Ben", "Cleo"]
    assert shown(marketer, sent, opened="yes") == ["Ada"]
    assert shown(marketer, sent, clicked="yes", opened="yes") == ["Ada"]
    assert shown(marketer, sent, refusal="ended") == ["Dov"]
    assert shown(marketer, sent, state="deferred") == []


@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "٣"])
def test_what_is_no_page_is_the_first_page(sent: Campaign, marketer: User, after: str) -> None:
    assert len(shown(marketer, sent, after=after, state="no such")) == 6


def test_deliveries_are_shown_some_at_a_time_and_never_counted(
    sent: Campaign,
    marketer: User,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Any,
) -> None:
    monkeypatch.setattr(deliveries, "ROWS_A_PAGE", 4)
    first = shown(marketer, sent)
    with django_assert_max_num_queries(60) as queries:
        answer = browser(marketer).get(address(sent, "deliveries"))
    asked = [one["sql"] for one in queries.captured_queries]
    assert not [sql for sql in asked if "COUNT(" in sql and "delivery" in sql]
    second = browser(marketer).get(address(sent, "deliveries") + answer.context["next_url"])
    rest = [row.delivery.registrant.name for row in second.context["rows"]]
    assert (len(first), len(rest)) == (4, 2)
    assert not set(first) & set(rest)
    assert second.context["next_url"] == ""


def test_words_of_others_are_shown_as_text(sent: Campaign, marketer: User) -> None:
    """S-10: a server's answer and a name cannot act in the admin."""
    evil = "<img src=x onerror=alert(1)>"
    Registrant.objects.filter(name="Ada").update(name=evil)
    Delivery.objects.filter(state="failed").update(answer=evil)
    Campaign.objects.filter(pk=sent.pk).update(subject=evil)
    for page in PAGES:
        assert evil not in browser(marketer).get(address(sent, page)).content.decode()


def test_the_file_is_streamed_and_taken_down(sent: Campaign, marketer: User) -> None:
    """Taking data out is an act: POST alone, named in the trail."""
    signed_in = browser(marketer)
    assert signed_in.get(address(sent, "export")).status_code == 405
    assert not AuditEntry.objects.filter(act="export").exists()
    answer: Any = signed_in.post(address(sent, "export"))
    assert answer.streaming
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    assert len(list(csv.DictReader(io.StringIO(text)))) == 6
    entry = AuditEntry.objects.get(act="export")
    assert (entry.staff, entry.client, entry.subject) == (marketer.pk, sent.client_id, sent.pk)


def test_a_report_is_offered_where_the_mailing_is(sent: Campaign, marketer: User) -> None:
    progress = reverse("admin:newsletter_campaign_progress", args=[sent.pk])
    assert address(sent) in browser(marketer).get(progress).content.decode()
