"""Previews and tests never act: inert, under a policy of their own, to nobody but oneself."""

import email
import email.policy
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

from newsletter.models import Mailing
from tests.cast import Cast
from tests.newsletter.admin.test_writing import address, typed
from tests.scripted_smtp import ScriptedSmtp

pytestmark = pytest.mark.django_db
PARTS = ("html", "phone", "dark", "text", "source")


def shown(browser: Browser, mailing: Mailing, part: str = "html", **query: str | int) -> str:
    """Return one part of the preview."""
    answer = browser.get(
        reverse("admin:newsletter_campaign_preview", args=[mailing.pk, part]), query
    )
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize("part", PARTS)
def test_a_preview_is_a_document_of_its_own_policy(cast: Cast, browser: Browser, part: str) -> None:
    """Design §5: its own URL, its own policy, sandboxed; only our own pages may frame it."""
    answer = browser.get(
        reverse("admin:newsletter_campaign_preview", args=[cast.campaign().pk, part])
    )
    policy = answer["Content-Security-Policy"]
    assert policy.endswith("sandbox")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script-src" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in answer["Cache-Control"]


def test_the_page_shows_the_preview_in_a_sandbox(cast: Cast, browser: Browser) -> None:
    """Nothing of the mail is part of the admin's own document."""
    page = browser.get(address("change", cast.campaign())).content.decode()
    assert 'sandbox=""' in page
    assert "srcdoc" not in page


def test_every_link_of_a_preview_is_inert(cast: Cast, browser: Browser) -> None:
    """No href leads anywhere and no token of anybody stands in any part."""
    campaign = cast.campaign()
    for part in ("html", "phone", "dark"):
        links = re.findall(r'href="([^"]*)"', shown(browser, campaign, part))
        assert links
        assert set(links) == {"#"}
    for part in PARTS:
        assert not re.search(r"/[upil]/[\w-]{34}", shown(browser, campaign, part))


def test_a_preview_is_of_the_person_chosen(cast: Cast, browser: Browser) -> None:
    """Somebody outside the audience, or of another client, is not shown."""
    campaign = cast.campaign()
    assert "Hello Ada" in shown(browser, campaign)
    assert "Hello Ada" in shown(browser, campaign, person=cast.ada.pk)
    for stranger in (cast.dov.pk, "0", "x", "9" * 30, "²"):
        assert "Hello Ada" in shown(browser, campaign, person=stranger)


def test_what_is_typed_is_previewed_without_being_saved(
    cast: Cast, browser: Browser, valkey: object
) -> None:
    """Faults come with their line; the saved campaign stays as it was."""
    campaign = cast.campaign()
    form_data = typed(
        campaign, body="Fresh words\n\n{{ registrant.nmae }}", sender="999", template="x"
    )
    answer = browser.post(address("unsaved", campaign), form_data)
    preview = answer.json()
    assert [(fault["field"], fault["line"]) for fault in preview["faults"]] == [("body", 3)]
    assert "Variables" in preview["checks"]
    assert "Fresh words" in shown(browser, campaign, unsaved=preview["unsaved"])
    assert "Fresh words" not in shown(browser, campaign)
    campaign.refresh_from_db()
    assert (campaign.version, "Fresh" in campaign.body) == (0, False)


def test_a_broken_draft_says_what_is_wrong_where_it_would_stand(
    cast: Cast, browser: Browser
) -> None:
    """Text of the author is escaped on the page of faults."""
    page = shown(browser, cast.campaign(body="{% if <b>x</b> %}"))
    assert "cannot be shown yet" in page
    assert "<b>x" not in page


def test_people_are_found_by_address_in_the_audience_alone(cast: Cast, browser: Browser) -> None:
    """The search is posted, so that no address stands in a log."""
    ask = address("people", cast.campaign())
    people = browser.post(ask, {"address": "ADA"}, headers={"accept": "application/json"}).json()
    assert people == {"people": [{"id": cast.ada.pk, "label": "ada@example.net"}]}
    none = browser.post(ask, {"address": "dov"}, headers={"accept": "application/json"}).json()
    assert none == {"people": []}
    plain = browser.post(ask, {"address": "ada"})
    assert plain["Location"].endswith(f"?person={cast.ada.pk}")
    assert browser.get(ask).status_code == 405


def test_a_test_goes_to_the_signed_in_person_alone_with_inert_links(
    cast: Cast, browser: Browser, marketer: User, smtp: ScriptedSmtp
) -> None:
    """Saved first, then sent at once through the sender's transport."""
    campaign = cast.campaign()
    form_data = typed(campaign, subject="Typed now", newsletter_campaign_save_and_test="1")
    answer = browser.post(address("change", campaign), form_data, follow=True)
    assert f"on its way to {marketer.email}" in answer.content.decode()
    assert smtp.delivered == {marketer.email: 1}
    (data,) = smtp.messages[marketer.email]
    mail: Any = email.message_from_bytes(data, policy=email.policy.default)
    assert mail["Subject"] == "[Test] Typed now"
    assert mail["To"] == marketer.email
    assert "ada@example.net" not in data.decode()


def test_without_an_address_of_ones_own_no_test_is_sent(
    cast: Cast, browser: Browser, marketer: User, smtp: ScriptedSmtp
) -> None:
    """A clear error, and nothing on the wire."""
    User.objects.filter(pk=marketer.pk).update(email="")
    answer = browser.post(address("test", cast.campaign()), follow=True)
    assert "Your account has no e-mail address" in answer.content.decode()
    assert smtp.accepted == 0


def test_a_test_through_a_server_that_is_down_says_so(cast: Cast, browser: Browser) -> None:
    """The words of the fault reach the page."""
    cast.sender.transport, cast.sender.host, cast.sender.port = "smtp", "127.0.0.1", 9
    cast.sender.security = "none"
    cast.sender.save()
    answer = browser.post(address("test", cast.campaign()), follow=True)
    assert "The mail server cannot be used" in answer.content.decode()
