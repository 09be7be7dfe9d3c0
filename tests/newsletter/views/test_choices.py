"""Your choices, by a link mailed in the last 24 hours."""

import pytest
import time_machine
from django.test import Client as Browser

from accountability.models import AuditEntry
from newsletter import letters, links
from newsletter.models import Delivery
from registrants import consent, privacy, suppression
from registrants.models import ConsentEvent, Suppression
from tests.cast import Cast, make_client, make_list


@pytest.fixture
def letter(cast: Cast) -> Delivery:
    """Return the letter Ada asked for."""
    owed = letters.owe(registrant=cast.ada, letter=Delivery.Letter.CHOICES, asked_by=1)
    assert owed is not None
    return owed


@pytest.fixture
def page(letter: Delivery) -> str:
    """Return its link."""
    return links.choices("", letter.pk)


def test_looking_changes_nothing(cast: Cast, browser: Browser, page: str) -> None:
    before = ConsentEvent.objects.count()
    for method in ("GET", "HEAD", "OPTIONS"):
        assert browser.generic(method, page).status_code == 200
    assert ConsentEvent.objects.count() == before
    assert "ada@example.net" in browser.get(page).content.decode()


def test_a_name_is_corrected_and_said_to_be_saved(cast: Cast, browser: Browser, page: str) -> None:
    """P16."""
    answer = browser.post(page, {"act": "name", "name": "  Ada   Lovelace "})
    assert 'role="status"' in answer.content.decode()
    cast.ada.refresh_from_db()
    assert cast.ada.name == "Ada Lovelace"
    bad = browser.post(page, {"act": "name", "name": "see www.spam.example"}).content.decode()
    assert 'role="alert"' in bad
    assert "see www.spam.example" in bad
    cast.ada.refresh_from_db()
    assert cast.ada.name == "Ada Lovelace"


def test_what_changes_nothing_writes_nothing(cast: Cast, browser: Browser, page: str) -> None:
    """S-3, L-20."""
    more = make_list(cast.client, "Events", "events")
    acts = ({"act": "name", "name": "Ada L."}, {"act": f"join:{more.pk}"}, {"act": "grant:opens"})
    for act in acts:
        browser.post(page, act)
    before = ConsentEvent.objects.count(), AuditEntry.objects.count()
    for act in acts * 3:
        browser.post(page, act)
    assert (ConsentEvent.objects.count(), AuditEntry.objects.count()) == before


def test_a_day_has_twenty_acts_of_a_link_and_any_number_of_noes(
    cast: Cast, browser: Browser, page: str
) -> None:
    """S-3, U-25."""
    answers = [
        browser.post(page, {"act": "name", "name": f"Ada {number}"}).status_code
        for number in range(22)
    ]
    assert answers == [200] * 20 + [429] * 2
    cast.ada.refresh_from_db()
    assert cast.ada.name == "Ada 19"
    assert browser.post(page, {"act": "refuse:opens"}).status_code == 200
    assert browser.post(page, {"act": f"leave:{cast.mailing_list.pk}"}).status_code == 200
    cast.ada.refresh_from_db()
    assert (cast.ada.opens, cast.ada.subscriptions.get().state) == ("denied", "ended")


def test_joining_and_leaving_count_at_once(cast: Cast, browser: Browser, page: str) -> None:
    """P7, P8."""
    more = make_list(cast.client, "Events", "events")
    answer = browser.post(page, {"act": f"join:{more.pk}"})
    assert "You are on" in answer.content.decode()
    given = ConsentEvent.objects.get(registrant=cast.ada, mailing_list=more, act="given")
    assert given.means == "choices_page"
    assert given.wording is not None
    browser.post(page, {"act": f"leave:{more.pk}"})
    assert cast.ada.subscriptions.get(mailing_list=more).state == "ended"


def test_joining_lets_mail_through_again(cast: Cast, browser: Browser, page: str) -> None:
    suppression.suppress(
        address=cast.ada.address, reason=Suppression.Reason.COMPLAINT, client=cast.client
    )
    more = make_list(cast.client, "Events", "events")
    browser.post(page, {"act": f"join:{more.pk}"})
    assert not suppression.stands(
        address=cast.ada.address, reason=Suppression.Reason.COMPLAINT, client=cast.client
    )


def test_who_is_never_mailed_is_told_instead_of_put_on_a_list(
    cast: Cast, browser: Browser, page: str
) -> None:
    suppression.suppress(
        address=cast.ada.address, reason=Suppression.Reason.NEVER_MAIL, client=cast.client
    )
    more = make_list(cast.client, "Events", "events")
    answer = browser.post(page, {"act": f"join:{more.pk}"}).content.decode()
    assert 'role="alert"' in answer
    assert "never mailed" in answer
    assert not cast.ada.subscriptions.filter(mailing_list=more).exists()


def test_measuring_is_granted_and_refused_one_by_one(
    cast: Cast, browser: Browser, page: str
) -> None:
    browser.post(page, {"act": "grant:opens"})
    cast.ada.refresh_from_db()
    assert (cast.ada.opens, cast.ada.clicks) == ("granted", "unknown")
    browser.post(page, {"act": "refuse:opens"})
    cast.ada.refresh_from_db()
    assert (cast.ada.opens, cast.ada.clicks) == ("denied", "unknown")


@pytest.mark.parametrize(
    "act", ["", "grant:all", "join:0", "join:²", "join:99999999999999999999999", "name:", "drop"]
)
def test_what_is_not_on_the_page_does_nothing(
    cast: Cast, browser: Browser, page: str, act: str
) -> None:
    before = ConsentEvent.objects.count()
    answer = browser.post(page, {"act": act})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert ConsentEvent.objects.count() == before


def test_a_list_of_another_client_is_not_offered(cast: Cast, browser: Browser, page: str) -> None:
    other = make_list(make_client("Lighthouse", "lighthouse"))
    assert "not offered" in browser.post(page, {"act": f"join:{other.pk}"}).content.decode()
    assert not consent.Subscription.objects.filter(mailing_list=other).exists()


def test_a_list_that_is_not_public_can_be_left_by_who_is_on_it(
    cast: Cast, browser: Browser, page: str
) -> None:
    type(cast.mailing_list).objects.filter(pk=cast.mailing_list.pk).update(is_public=False)
    browser.post(page, {"act": f"leave:{cast.mailing_list.pk}"})
    assert cast.ada.subscriptions.get().state == "ended"


def test_after_a_day_the_link_opens_nothing_and_mails_a_new_one(
    cast: Cast, browser: Browser, letter: Delivery, page: str
) -> None:
    """U-29: a forwarded or stolen old mail opens nobody's data."""
    with time_machine.travel(letter.created_at.timestamp() + 24 * 3600 + 1):
        over = browser.get(page)
        assert over.status_code == 410
        assert "ada@" not in over.content.decode()
        assert browser.post(page, {"act": "name", "name": "Mallory"}).status_code == 200
    cast.ada.refresh_from_db()
    assert cast.ada.name == "Ada"
    assert Delivery.objects.filter(registrant=cast.ada, letter="choices").count() == 2


def test_no_more_than_five_links_a_day(cast: Cast) -> None:
    owed = [
        letters.owe(registrant=cast.ada, letter=Delivery.Letter.CHOICES, asked_by=number)
        for number in range(8)
    ]
    assert sum(delivery is not None for delivery in owed) == 5


def test_after_erasure_the_link_is_not_known(cast: Cast, browser: Browser, page: str) -> None:
    privacy.erase(registrant=cast.ada)
    assert browser.get(page).status_code == 404


def test_a_confirm_letter_opens_no_choices(cast: Cast, browser: Browser) -> None:
    confirm = Delivery.objects.create(registrant=cast.ada, letter="confirm", asked_by=1)
    assert browser.get(links.choices("", confirm.pk)).status_code == 404
