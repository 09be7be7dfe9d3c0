"""The pages of the confirm letter: nothing by looking, everything by one press, dead when over."""

import pytest
import time_machine
from django.test import Client as Browser

from newsletter import letters, links
from newsletter.models import Delivery
from registrants import consent, privacy, suppression, tokens
from registrants.consent import Ask, Means
from registrants.models import ConsentEvent, Registrant, Subscription, Suppression
from registrants.provenance import Provenance
from registrants.tokens import Scope
from tests.cast import FORM, Cast

SCANNERS = ("GET", "HEAD", "OPTIONS", "GET", "GET")


def ask_again(
    cast: Cast, person: Registrant, opens: bool = False, clicks: bool = False
) -> ConsentEvent:
    """Note that a person was asked for the list by form."""
    wanted = Ask(lists=(cast.mailing_list,), opens=opens, clicks=clicks)
    return consent.ask(client=cast.client, address=person.address, ask=wanted, provenance=FORM)


def state(person: Registrant) -> str:
    """Return where a person stands on the one list."""
    return Subscription.objects.get(registrant=person).state


@pytest.fixture
def ask(cast: Cast) -> ConsentEvent:
    """Return what Ben was asked."""
    return ConsentEvent.objects.get(registrant=cast.ben)


def test_looking_changes_nothing_however_often(
    cast: Cast, browser: Browser, ask: ConsentEvent
) -> None:
    """O-4: a scanner that follows every link confirms nothing."""
    for page in (links.confirm("", ask.pk), links.never("", ask.pk)):
        for method in SCANNERS:
            answer = browser.generic(method, page, HTTP_SEC_PURPOSE="prefetch")
            assert answer.status_code == 200
            assert answer["Cache-Control"] == "no-store"
            assert answer["Referrer-Policy"] == "no-referrer"
            assert answer["X-Robots-Tag"] == "noindex"
            assert not answer.cookies
    assert state(cast.ben) == "pending"
    assert (
        not Suppression.objects.filter(reason="never_mail")
        .exclude(client=None)
        .exclude(address_hash=bytes(cast.dov.address_hash or b""))
    )
    assert cast.mailing_list.purpose in browser.get(links.confirm("", ask.pk)).content.decode()


def test_one_press_confirms_with_its_proof_and_a_second_alike(cast: Cast, browser: Browser) -> None:
    """L-20: the words, the time, from where and with what."""
    ask = ask_again(cast, cast.ben, opens=True)
    delivery = letters.owe(registrant=cast.ben, letter=Delivery.Letter.CONFIRM, asked_by=ask.pk)
    page = links.confirm("", ask.pk)
    browser.defaults |= {"HTTP_USER_AGENT": "A browser", "REMOTE_ADDR": "2001:db8::7"}
    first, second = browser.post(page), browser.post(page)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content == browser.get(page).content
    assert state(cast.ben) == "confirmed"
    given = ConsentEvent.objects.filter(registrant=cast.ben, act="given").order_by("pk")
    assert [event.purpose for event in given] == ["list", "opens"]
    assert given[0].wording is not None
    assert given[0].means == "confirm_page"
    assert given[0].evidence.ip == "2001:db8::7"
    assert given[0].evidence.browser == "A browser"
    assert delivery is not None
    assert delivery.asked_by == given[0].answers_id
    cast.ben.refresh_from_db()
    assert (cast.ben.opens, cast.ben.clicks) == ("granted", "unknown")


def test_an_ask_dies_after_thirty_days(cast: Cast, browser: Browser, ask: ConsentEvent) -> None:
    with time_machine.travel(ask.at.timestamp() + 31 * 86400):
        answer = browser.post(links.confirm("", ask.pk))
    assert answer.status_code == 410
    assert "/s/heron/" in answer.content.decode()
    assert state(cast.ben) == "pending"


def test_an_ask_dies_with_a_later_withdrawal(
    cast: Cast, browser: Browser, ask: ConsentEvent
) -> None:
    consent.withdraw(
        subscription=cast.ben.subscriptions.get(), provenance=Provenance(means=Means.ONE_CLICK)
    )
    assert browser.post(links.confirm("", ask.pk)).status_code == 410
    assert state(cast.ben) == "ended"


def test_an_ask_dies_with_a_no_from_somebody_who_had_left_already(
    cast: Cast, browser: Browser
) -> None:
    ask = ask_again(cast, cast.cleo)
    consent.withdraw(
        subscription=cast.cleo.subscriptions.get(), provenance=Provenance(means=Means.ONE_CLICK)
    )
    assert browser.post(links.confirm("", ask.pk)).status_code == 410
    assert state(cast.cleo) == "ended"


def test_this_was_not_me_ends_it_for_good(cast: Cast, browser: Browser) -> None:
    """U-14."""
    ask = ask_again(cast, cast.cleo)
    page = links.never("", ask.pk)
    first, second = browser.post(page), browser.post(page)
    assert first.content == second.content == browser.get(page).content
    assert suppression.stands(
        address=cast.cleo.address, reason=Suppression.Reason.NEVER_MAIL, client=cast.client
    )
    assert browser.post(links.confirm("", ask.pk)).status_code == 410
    assert state(cast.cleo) == "ended"


def test_an_ask_of_somebody_erased_is_over_and_shows_no_address(
    cast: Cast, browser: Browser, ask: ConsentEvent
) -> None:
    privacy.erase(registrant=cast.ben)
    for method in ("GET", "POST"):
        answer = browser.generic(method, links.confirm("", ask.pk))
        assert answer.status_code == 410
        assert "ben@" not in answer.content.decode()
    assert browser.post(links.never("", ask.pk)).status_code == 200


def test_a_returning_person_is_mailed_again(cast: Cast, browser: Browser) -> None:
    for reason in (Suppression.Reason.COMPLAINT, Suppression.Reason.HARD_BOUNCE):
        suppression.suppress(address=cast.cleo.address, reason=reason, client=cast.client)
    ask = ask_again(cast, cast.cleo)
    assert browser.post(links.confirm("", ask.pk)).status_code == 200
    assert state(cast.cleo) == "confirmed"
    assert not Suppression.objects.filter(
        address_hash=bytes(cast.cleo.address_hash or b""), lifted_at=None
    ).exists()


def test_pressing_an_old_letter_again_lifts_no_later_complaint(
    cast: Cast, browser: Browser, ask: ConsentEvent
) -> None:
    page = links.confirm("", ask.pk)
    browser.post(page)
    suppression.suppress(
        address=cast.ben.address, reason=Suppression.Reason.COMPLAINT, client=cast.client
    )
    browser.post(page)
    assert suppression.stands(
        address=cast.ben.address, reason=Suppression.Reason.COMPLAINT, client=cast.client
    )


@pytest.mark.parametrize("scope", [Scope.CONFIRM, Scope.NOT_ME, Scope.CHOICES])
def test_a_forged_or_borrowed_token_is_not_known(
    cast: Cast, browser: Browser, ask: ConsentEvent, scope: Scope
) -> None:
    """AT-U3."""
    for other in Scope:
        if other != scope:
            page = f"/{scope}/{tokens.make(other, ask.pk)}"
            assert browser.post(page).status_code == 404
    good = tokens.make(scope, ask.pk)
    for place in range(len(good)):
        bad = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
        assert browser.post(f"/{scope}/{bad}").status_code in (404, 429)
    assert state(cast.ben) == "pending"
