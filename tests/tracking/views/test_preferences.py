"""The page behind the footer link: stopping works at once, everything else after a mailed link."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.utils.timezone import now
from pytest_django import Settings

from newsletter.models import Delivery
from registrants import consent, gate, privacy, suppression, tokens
from registrants.consent import Means
from registrants.models import ConsentEvent, Registrant, Subscription, Suppression
from registrants.provenance import Provenance
from registrants.tokens import Scope
from tests.cast import Cast, confirmed, make_list, measured


class Page:
    """One person's page for the list."""

    def __init__(self, person: Registrant) -> None:
        """Take the link of the person's one subscription."""
        self.browser = Browser(enforce_csrf_checks=True)
        self.subscription = person.subscriptions.order_by("pk").first() or Subscription()
        self.link = f"/p/{tokens.make(Scope.PREFERENCES, self.subscription.pk, 7)}"

    def press(self, act: str) -> str:
        """Press a button; return the page, which says what was done."""
        answer = self.browser.post(self.link, {"act": act})
        assert answer.status_code == 200
        assert not answer.cookies
        assert 'role="status"' in answer.content.decode()
        return answer.content.decode()

    def look(self) -> str:
        """Return the page as it is shown."""
        return self.browser.get(self.link).content.decode()

    @property
    def state(self) -> str:
        """Return where the subscription stands now."""
        self.subscription.refresh_from_db()
        return self.subscription.state


@pytest.fixture
def ada(cast: Cast) -> Page:
    """Return Ada's page."""
    return Page(cast.ada)


def test_looking_changes_nothing_and_shows_no_address(cast: Cast, ada: Page) -> None:
    """U-24, U-29, S-18: whoever holds a forwarded mail sees neither address nor name."""
    before = ConsentEvent.objects.count()
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = ada.browser.generic(method, ada.link)
        assert answer.status_code == 200
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex"
        assert answer["Cache-Control"] == "no-store"
    page = ada.look()
    assert "a***@example.net" in page
    assert "ada@" not in page
    assert "Ada" not in page
    assert "<script" not in page
    assert ConsentEvent.objects.count() == before


def test_no_press_of_a_forwarded_mail_shows_or_changes_a_persons_data(
    cast: Cast, ada: Page
) -> None:
    """U-29: name, joining and granting are not to be had by this link."""
    more = make_list(cast.client, "Events", "events")
    for act in ("name", "grant:opens", "grant_opens", f"join:{more.pk}", "join", "confirm", ""):
        answer = ada.browser.post(ada.link, {"act": act, "name": "Mallory"})
        assert "Nothing was changed" in answer.content.decode()
        assert "ada@" not in answer.content.decode()
    cast.ada.refresh_from_db()
    assert (cast.ada.name, cast.ada.opens) == ("Ada", "unknown")
    assert cast.ada.subscriptions.count() == 1


def test_this_list_is_left_at_once(cast: Cast, ada: Page) -> None:
    """U-25, U-27."""
    other = confirmed(cast.ada, make_list(cast.client, "Events", "events"))
    assert "You get no more mail" in ada.press("leave")
    assert ada.state == "ended"
    other.refresh_from_db()
    assert other.state == "confirmed"
    event = ConsentEvent.objects.filter(act="withdrawn").latest("pk")
    assert (event.mailing, event.means) == (7, "preferences")


def test_everything_is_left_at_once(cast: Cast, ada: Page) -> None:
    """U-26, U-27."""
    confirmed(cast.ada, make_list(cast.client, "Events", "events"))
    assert "Leave all lists" in ada.look()
    assert "Leave all lists" not in ada.press("leave_all")
    assert set(cast.ada.subscriptions.values_list("state", flat=True)) == {"ended"}


@pytest.mark.parametrize("days", [30, 90])
def test_a_pause_holds_back_mail_for_its_days_and_ends_by_itself(
    cast: Cast, ada: Page, days: int
) -> None:
    assert "Paused until" in ada.press(f"pause_{days}")
    asked = gate.Question(
        kind=gate.MailKind.CAMPAIGN, client=cast.client, mailing_list=cast.mailing_list
    )
    assert gate.ask(registrant=cast.ada.pk, question=asked) == "paused"
    until = now() + timedelta(days=days)
    ada.subscription.refresh_from_db()
    assert abs((ada.subscription.paused_until or now()) - until) < timedelta(minutes=1)
    with time_machine.travel(until + timedelta(minutes=5)):
        assert "Paused until" not in ada.look()
    ada.press("resume")
    assert gate.ask(registrant=cast.ada.pk, question=asked) == ""


def test_measuring_is_refused_at_once_one_by_one(cast: Cast, ada: Page) -> None:
    measured(cast.ada)
    ada.press("refuse_opens")
    cast.ada.refresh_from_db()
    assert (cast.ada.opens, cast.ada.clicks) == ("denied", "granted")
    ada.press("refuse_clicks")
    cast.ada.refresh_from_db()
    assert cast.ada.clicks == "denied"


def test_undo_asks_by_letter_and_puts_nobody_back_by_itself(cast: Cast) -> None:
    """U-29: undo is a fresh opt-in."""
    cleo = Page(cast.cleo)
    assert "Undo" in cleo.look()
    assert "letter" in cleo.press("undo")
    assert cleo.state == "ended"
    letter = Delivery.objects.get(registrant=cast.cleo)
    assert letter.letter == "confirm"
    ask = ConsentEvent.objects.get(pk=letter.asked_by or 0)
    assert consent.confirm(event=ask, provenance=Provenance(means=Means.CONFIRM_PAGE))
    assert cleo.state == "confirmed"


def test_a_link_to_the_rest_is_mailed_to_the_person(cast: Cast, ada: Page) -> None:
    ada.press("mail_link")
    assert Delivery.objects.get(registrant=cast.ada).letter == "choices"
    ada.press("mail_link")
    assert Delivery.objects.filter(registrant=cast.ada).count() == 1


def test_never_means_never_and_the_page_says_how_to_come_back(cast: Cast, ada: Page) -> None:
    """P8."""
    page = ada.press("never")
    assert ada.state == "ended"
    assert suppression.stands(
        address=cast.ada.address, reason=Suppression.Reason.NEVER_MAIL, client=cast.client
    )
    assert "Undo" not in page
    assert "please write to" in page
    ada.press("never")
    ada.press("undo")
    assert not Delivery.objects.filter(registrant=cast.ada).exists()


def test_pressing_twice_is_the_same_as_once(cast: Cast, ada: Page) -> None:
    for act in ("leave", "leave_all", "refuse_opens", "never"):
        assert ada.press(act) == ada.press(act)
    assert ConsentEvent.objects.filter(registrant=cast.ada, act="withdrawn").count() == 2


def written(person: Registrant) -> int:
    """Return how many rows tell of what a person did."""
    return ConsentEvent.objects.filter(registrant=person).count()


@pytest.mark.parametrize("act", ["undo", "pause_30", "pause_90", "resume", "mail_link"])
def test_what_changes_nothing_writes_nothing(cast: Cast, act: str) -> None:
    """S-3, L-20: a link pressed sixty times is no proof of sixty acts."""
    page = Page(cast.cleo if act == "undo" else cast.ada)
    person = page.subscription.registrant
    page.press(act)
    before = written(person)
    for _ in range(10):
        page.press(act)
    assert written(person) == before
    assert Delivery.objects.filter(registrant=person).count() <= 1


def test_an_undo_on_another_day_asks_anew(cast: Cast) -> None:
    page = Page(cast.cleo)
    page.press("undo")
    with time_machine.travel(now() + timedelta(hours=25)):
        page.press("undo")
    assert ConsentEvent.objects.filter(registrant=cast.cleo, act="asked").count() == 3


def test_a_pause_lengthened_on_another_day_is_another_pause(cast: Cast, ada: Page) -> None:
    ada.press("pause_30")
    with time_machine.travel(now() + timedelta(days=2)):
        ada.press("pause_30")
        ada.press("pause_90")
    assert ConsentEvent.objects.filter(registrant=cast.ada, act="paused").count() == 3


def test_a_day_has_twenty_acts_of_a_link_and_any_number_of_noes(cast: Cast, ada: Page) -> None:
    """S-3, U-25: no limit holds up a withdrawal, a “never mail me” or a denial of measuring."""
    for _ in range(10):
        ada.press("pause_30")
        ada.press("resume")
    before = written(cast.ada)
    answer = ada.browser.post(ada.link, {"act": "pause_30"})
    assert answer.status_code == 429
    assert "come back tomorrow" in answer.content.decode()
    assert written(cast.ada) == before
    for act in ("refuse_opens", "refuse_clicks", "leave", "leave_all", "never"):
        ada.press(act)
    cast.ada.refresh_from_db()
    assert (ada.state, cast.ada.opens, cast.ada.clicks) == ("ended", "denied", "denied")
    assert suppression.stands(
        address=cast.ada.address, reason=Suppression.Reason.NEVER_MAIL, client=cast.client
    )


def test_without_redis_what_is_written_about_the_person_counts(
    cast: Cast, ada: Page, settings: Settings
) -> None:
    for _ in range(10):
        ada.press("pause_30")
        ada.press("resume")
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert ada.browser.post(ada.link, {"act": "pause_30"}).status_code == 429
    ada.press("leave")
    assert ada.state == "ended"


def test_after_erasure_there_is_nothing_to_see_or_change(cast: Cast, ada: Page) -> None:
    privacy.erase(registrant=cast.ada)
    before = ConsentEvent.objects.count()
    assert "nothing about you" in ada.look()
    for act in ("leave", "leave_all", "never", "refuse_opens", "undo", "mail_link", "pause_30"):
        assert "nothing about you" in ada.press(act)
    assert ConsentEvent.objects.count() == before
    assert not Delivery.objects.filter(registrant=cast.ada).exists()


def test_a_one_click_token_opens_no_preferences(cast: Cast, ada: Page) -> None:
    """AT-U3."""
    token = tokens.make(Scope.UNSUBSCRIBE, ada.subscription.pk, 7)
    assert ada.browser.post(f"/p/{token}", {"act": "leave"}).status_code == 404
    assert ada.state == "confirmed"


def test_a_body_that_does_not_parse_changes_nothing(ada: Page) -> None:
    broken = ada.browser.post(ada.link, b"--x\r\n", content_type="multipart/form-data")
    assert broken.status_code == 400
    assert ada.state == "confirmed"
