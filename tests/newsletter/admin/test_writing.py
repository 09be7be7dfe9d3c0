"""Writing a campaign: what is typed is kept, faults have a place, no newer edit is overwritten.

Mirrors several: newsletter/admin/campaign.py, newsletter/admin/mailing_form.py,
newsletter/admin/mailing_page.py.
"""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

from newsletter.admin.campaign import CampaignPage
from newsletter.admin.notice import NoticePage
from newsletter.mailings import lifecycle
from newsletter.mailings.source import WRITTEN
from newsletter.models import Campaign, Mailing
from tests.cast import Cast, make_client, make_list

pytestmark = pytest.mark.django_db


def address(step: str, mailing: Mailing | None = None) -> str:
    """Return one of the addresses of the campaign page."""
    return reverse(f"admin:newsletter_campaign_{step}", args=[mailing.pk] if mailing else [])


def typed(campaign: Mailing, **changes: Any) -> dict[str, Any]:
    """Return what the form holds when it has just been opened, with something typed over."""
    names = ("subject", "preheader", "body_format", "body")
    fields = {name: getattr(campaign, name) for name in names}
    fields |= {"mailing_list": campaign.mailing_list_id, "sender": campaign.sender_id}
    return fields | {"seen_version": campaign.version} | changes


def errors(answer: Any) -> dict[str, list[str]]:
    """Return the errors of the form in a page."""
    return dict(answer.context["adminform"].form.errors)


def test_a_new_campaign_opens_where_its_preview_is(cast: Cast, browser: Browser) -> None:
    """The form begins with the one client there is, and leads on to writing."""
    first = browser.get(address("add"))
    assert first.context["adminform"].form.initial["client"] == cast.client.pk
    form_data = {"client": cast.client.pk, "mailing_list": cast.mailing_list.pk,
            "sender": cast.sender.pk, "subject": "Hello"}  # fmt: skip
    answer = browser.post(address("add"), form_data)
    campaign = Campaign.objects.get()
    assert answer["Location"] == address("change", campaign)
    assert (campaign.kind, campaign.subject) == ("campaign", "Hello")
    page = browser.get(answer["Location"]).content.decode()
    assert "ada@example.net" in page
    assert "warn-unsaved-form" in page


@pytest.mark.parametrize(
    ("field", "changes", "error"),
    [
        ("body", {"body": "line one\n{% if registrant.name %}open"}, "line 2, column 1"),
        ("body", {"body": "Hello {{ registrant.name | nofilter }}"}, "line 1, column"),
        ("body", {"body_format": "mjml", "body": "<mj-section><mj-column></mj-section>"}, ""),
        ("subject", {"subject": "Hello\nBcc: everybody@example.org"}, "one line"),
        ("subject", {"subject": "Hello\u2028again"}, "one line"),
        ("preheader", {"preheader": "one\r\ntwo"}, "one line"),
        ("subject", {"subject": ""}, "required"),
        ("mailing_list", {"mailing_list": "999999"}, "not one of the available choices"),
    ],
)
def test_bad_input_is_an_error_at_its_field_and_nothing_typed_is_lost(
    cast: Cast, browser: Browser, field: str, changes: dict[str, Any], error: str
) -> None:
    """Bad input: Liquid and MJML with their place, a subject with a line break."""
    campaign = cast.campaign()
    answer = browser.post(
        address("change", campaign), typed(campaign, **changes, preheader_kept="x")
    )
    assert answer.status_code == 200
    assert error in " ".join(errors(answer)[field])
    campaign.refresh_from_db()
    assert campaign.version == 0
    for name, value in changes.items():
        if name == "body":
            assert answer.context["adminform"].form["body"].value() == value


def test_a_list_of_another_client_is_named_as_the_fault(cast: Cast, browser: Browser) -> None:
    """Without JavaScript the form still narrows: the error names the field."""
    from accountability.roles import Role
    from registrants.models import Assignment

    other = make_client("Other", "other")
    Assignment.objects.create(
        staff=User.objects.get(username="mara"), client=other, role=Role.MARKETER
    )
    form_data = {"client": cast.client.pk, "mailing_list": make_list(other).pk,
            "sender": cast.sender.pk, "subject": "Hello"}  # fmt: skip
    answer = browser.post(address("add"), form_data)
    assert errors(answer)["mailing_list"] == [
        "This mailing list is not one of Heron Books; choose another."
    ]
    second = make_list(other, "Two", "two")
    page = browser.get(address("add"), {"client": cast.client.pk}).content.decode()
    # Of this select alone: a row of another table may have the same number.
    narrowed = page.partition('<select name="mailing_list"')[2].partition("</select>")[0]
    assert f'<option value="{cast.mailing_list.pk}">' in narrowed
    assert f'<option value="{second.pk}">' not in narrowed


def test_a_newer_edit_is_not_overwritten_and_both_are_shown(cast: Cast, browser: Browser) -> None:
    """Two people write: the second sees what the first saved, and keeps what was typed."""
    campaign = cast.campaign()
    mine = typed(campaign, subject="Mine", body="my words")
    assert (
        browser.post(address("change", campaign), typed(campaign, subject="Theirs")).status_code
        == 302
    )
    answer = browser.post(address("change", campaign), mine)
    page = answer.content.decode()
    campaign.refresh_from_db()
    assert (campaign.subject, campaign.version) == ("Theirs", 1)
    assert "Saved by somebody else" in page
    assert "Theirs" in page
    assert 'value="Mine"' in page
    assert "my words" in page
    again = browser.post(address("change", campaign), mine)
    assert again.status_code == 200
    done = browser.post(address("change", campaign), mine | {"replace_version": "1"})
    campaign.refresh_from_db()
    assert done.status_code == 302
    assert (campaign.subject, campaign.version) == ("Mine", 2)


def test_a_form_without_the_version_it_was_opened_at_saves_nothing(
    cast: Cast, browser: Browser
) -> None:
    """A forged or cut form counts as a conflict."""
    campaign = cast.campaign()
    form_data = typed(campaign, subject="Mine")
    del form_data["seen_version"]
    assert browser.post(address("change", campaign), form_data).status_code == 200
    campaign.refresh_from_db()
    assert campaign.subject == "News of the week"


def test_what_is_typed_into_a_draft_that_went_out_is_given_back(
    cast: Cast, browser: Browser
) -> None:
    """Only a draft can be changed; the state somebody else moved stays moved."""
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=1)
    answer = browser.post(address("change", campaign), typed(campaign, body="my late words"))
    assert answer.status_code == 409
    assert "my late words" in answer.content.decode()
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.STAGING
    shown = browser.get(address("change", campaign))
    assert shown.status_code == 200
    assert b'name="body"' not in shown.content


def test_only_a_draft_can_be_deleted(cast: Cast, browser: Browser) -> None:
    """What went out is a ledger."""
    draft, sent = cast.campaign(), cast.campaign()
    lifecycle.send_now(mailing=sent, staff=1)
    assert browser.post(address("delete", sent), {"post": "yes"}).status_code == 403
    assert browser.post(address("delete", draft), {"post": "yes"}).status_code == 302
    assert list(Campaign.objects.all()) == [sent]


def test_a_campaign_never_becomes_a_notice(cast: Cast, browser: Browser) -> None:
    """A forged kind, service or reason changes nothing."""
    campaign = cast.campaign()
    forged = typed(campaign, kind="notice", service=cast.service.pk, reason="because", state="sent")
    assert browser.post(address("change", campaign), forged).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.kind, campaign.service, campaign.reason) == ("campaign", None, "")
    assert campaign.state == Mailing.State.DRAFT


def test_the_pages_ask_for_every_field_a_person_writes_and_for_no_other() -> None:
    asked = {
        field
        for page in (CampaignPage, NoticePage)
        for _, options in page.fieldsets or ()
        for field in options["fields"]
    }
    assert asked == {"client", *WRITTEN}
