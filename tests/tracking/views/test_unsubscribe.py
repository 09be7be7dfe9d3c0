"""One-click unsubscribe as RFC 8058 clients, scanners and forgers call it."""

import time

import pytest
from django.http import HttpResponseBase
from django.test import Client as Browser
from django.utils.timezone import now
from pytest_django import Settings

from registrants import consent, privacy, tokens
from registrants.consent import Ask, Means
from registrants.models import ConsentEvent, MailingList, Subscription
from registrants.provenance import Provenance
from registrants.tokens import Scope
from tests.cast import FORM, Cast, confirmed, make_client, make_list, make_registrant
from tracking.models import Event

LITERAL = (  # RFC 8058 §8.3, line ends as printed there
    b"---FormBoundaryjWmhtjORrn\n"
    b'Content-Disposition: form-data; name="List-Unsubscribe"\n\n'
    b"One-Click\n"
    b"---FormBoundaryjWmhtjORrn--\n"
)
CORRECT = (
    b'--frontier\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
    b"One-Click\r\n--frontier--\r\n"
)
BODIES = {
    "urlencoded": ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
    "multipart": ("multipart/form-data; boundary=frontier", CORRECT),
    "rfc literal": ("multipart/form-data; boundary=---FormBoundaryjWmhtjORrn", LITERAL),
    "no boundary": ("multipart/form-data", CORRECT),
    "empty": ("application/x-www-form-urlencoded", b""),
    "text": ("text/plain", b"List-Unsubscribe=One-Click"),
    "no type": ("", b"\xff\xfe"),
    "long": ("application/x-www-form-urlencoded", b"x=" + b"y" * 3_000_000),
}
HOSTS = ("testserver", "news.heron.example.org", "old.heron.example.org:8443", "127.0.0.1:8000")
SCANNERS = (
    "Mozilla/5.0 (compatible; Barracuda Sentinel)",
    "Mozilla/5.0 (compatible; Mimecast)",
    "Proofpoint URL Defense",
    "Microsoft Office/16.0 (SafeLinks)",
    "GoogleImageProxy",
    "YahooMailProxy",
    "Symantec Email Security.cloud",
    "Trend Micro WTP",
    "Cisco IronPort",
    "FortiMail",
    "Sophos Email",
    "curl/8.5.0",
)


@pytest.fixture
def browser() -> Browser:
    """Return a browser that would be refused where a page wanted a CSRF token."""
    return Browser(enforce_csrf_checks=True)


@pytest.fixture
def subscription(cast: Cast) -> Subscription:
    """Return where Ada stands."""
    return cast.ada.subscriptions.get()


@pytest.fixture
def page(subscription: Subscription) -> str:
    """Return the link of Ada's header."""
    return f"/u/{tokens.make(Scope.UNSUBSCRIBE, subscription.pk, 7)}"


def is_on(subscription: Subscription) -> bool:
    """Tell whether a subscription stands."""
    subscription.refresh_from_db()
    return subscription.state == Subscription.State.CONFIRMED


def withdrawals(cast: Cast) -> int:
    """Count what Ada took back."""
    return ConsentEvent.objects.filter(registrant=cast.ada, act="withdrawn").count()


def _is_as_the_rfc_wants(answer: HttpResponseBase) -> bool:
    return (
        answer.status_code == 200
        and not answer.has_header("Location")
        and not answer.has_header("Set-Cookie")
        and not answer.cookies
        and answer["Cache-Control"] == "no-store"
        and len(getattr(answer, "content", b"")) < 200
    )


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("body", list(BODIES))
def test_every_body_every_host_and_every_repeat_unsubscribes_exactly_once(
    cast: Cast, browser: Browser, subscription: Subscription, page: str, body: str, slash: str
) -> None:
    """AT-U2, U-20 to U-22."""
    kind, data = BODIES[body]
    for host in HOSTS:
        for _ in range(3):
            answer = browser.generic("POST", page + slash, data, content_type=kind, HTTP_HOST=host)
            assert _is_as_the_rfc_wants(answer)
            assert not is_on(subscription)
    assert withdrawals(cast) == 1


@pytest.mark.parametrize("body", list(BODIES))
def test_it_answers_alike_after_erasure_and_archiving(
    cast: Cast, browser: Browser, subscription: Subscription, page: str, body: str
) -> None:
    """AT-U2, U-22."""
    kind, data = BODIES[body]
    MailingList.objects.filter(pk=cast.mailing_list.pk).update(archived_at=now())
    first = browser.generic("POST", page, data, content_type=kind)
    assert _is_as_the_rfc_wants(first)
    assert not is_on(subscription)
    privacy.erase(registrant=cast.ada)
    for slash in ("", "/"):
        again = browser.generic("POST", page + slash, data, content_type=kind)
        assert _is_as_the_rfc_wants(again)
        assert again.content == first.content
    assert withdrawals(cast) == 1


@pytest.mark.parametrize("agent", SCANNERS)
def test_no_scanner_unsubscribes_anybody(
    cast: Cast, browser: Browser, subscription: Subscription, page: str, agent: str
) -> None:
    """AT-U1, U-24: looking, however often, changes nothing and burns nothing."""
    for method in ("GET", "HEAD", "OPTIONS", "GET", "GET"):
        answer = browser.generic(
            method, page, HTTP_USER_AGENT=agent, HTTP_SEC_PURPOSE="prefetch;prerender"
        )
        assert answer.status_code == 200
        assert not answer.cookies
    content = browser.get(page).content.decode()
    assert "New books" in content
    assert content.count("<form") == 1
    assert "<script" not in content
    assert is_on(subscription)
    assert withdrawals(cast) == 0
    assert browser.post(page).status_code == 200
    assert not is_on(subscription)


def test_other_verbs_are_refused(browser: Browser, subscription: Subscription, page: str) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert browser.generic(method, page).status_code == 405
    assert is_on(subscription)


def test_a_flipped_character_anywhere_names_nothing(
    browser: Browser, subscription: Subscription, page: str
) -> None:
    """AT-U3."""
    token = page.removeprefix("/u/")
    for place in range(len(token)):
        for other in "Az9-_":
            if token[place] != other:
                forged = token[:place] + other + token[place + 1 :]
                assert browser.post(f"/u/{forged}").status_code in (404, 429)
    assert is_on(subscription)


def test_a_token_of_another_list_or_act_moves_nobody_else(
    cast: Cast, browser: Browser, subscription: Subscription
) -> None:
    """AT-U3: swapping list or client names what the token names, nothing more."""
    other = make_client("Lighthouse", "lighthouse")
    theirs = confirmed(make_registrant(other, cast.ada.address), make_list(other))
    assert browser.post(f"/u/{tokens.make(Scope.UNSUBSCRIBE, theirs.pk)}").status_code == 200
    assert is_on(subscription)
    assert not is_on(theirs)
    for scope in set(Scope) - {Scope.UNSUBSCRIBE}:
        answer = browser.post(f"/u/{tokens.make(scope, subscription.pk, 7)}")
        assert answer.status_code == 404
    assert is_on(subscription)


def test_an_unknown_token_is_told_nothing_and_slowed_down(browser: Browser, db: None) -> None:
    """U-22, S-1."""
    codes, pages = set(), set()
    for number in range(40):
        answer = browser.post(
            f"/u/{tokens.make(Scope.UNSUBSCRIBE, 10**9 + number)}", REMOTE_ADDR="203.0.113.9"
        )
        codes.add(answer.status_code)
        pages.add(answer.content)
    assert codes == {404, 429}
    assert len(pages) == 1
    assert browser.get("/u/nonsense", REMOTE_ADDR="203.0.113.10").status_code == 404


def test_somebody_slowed_down_can_still_unsubscribe(
    browser: Browser, subscription: Subscription, page: str
) -> None:
    for _ in range(40):
        browser.post("/u/nonsense", REMOTE_ADDR="203.0.113.9")
    assert browser.post(page, REMOTE_ADDR="203.0.113.9").status_code == 200
    assert not is_on(subscription)


def test_the_act_is_kept_with_its_mailing_and_its_proof(
    cast: Cast, browser: Browser, subscription: Subscription, page: str
) -> None:
    """U-30."""
    browser.post(page, HTTP_USER_AGENT="Gmail\0", REMOTE_ADDR="::ffff:192.0.2.44")
    event = ConsentEvent.objects.get(registrant=cast.ada, act="withdrawn")
    assert (event.mailing, event.means) == (7, "one_click")
    assert (event.evidence.ip, event.evidence.browser) == ("192.0.2.44", "Gmail")


def test_the_report_is_told_once(cast: Cast, browser: Browser, subscription: Subscription) -> None:
    campaign = cast.campaign()
    delivery = campaign.deliveries.create(registrant=cast.ada, state="sent")
    page = f"/u/{tokens.make(Scope.UNSUBSCRIBE, subscription.pk, campaign.pk)}"
    for _ in range(2):
        browser.post(page)
    noted = Event.objects.get(kind=Event.Kind.UNSUBSCRIBED)
    assert (noted.delivery_id, noted.mailing_id) == (delivery.pk, campaign.pk)


def test_it_needs_no_redis_and_takes_less_than_a_second(
    browser: Browser, subscription: Subscription, page: str, settings: Settings
) -> None:
    """U-22."""
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    began = time.monotonic()
    assert browser.post(page).status_code == 200
    assert time.monotonic() - began < 1
    assert not is_on(subscription)
    assert browser.post("/u/nonsense").status_code == 404


def test_a_staff_session_is_neither_needed_nor_touched(
    cast: Cast, browser: Browser, subscription: Subscription, page: str
) -> None:
    browser.cookies["sessionid"] = "something"
    browser.cookies["csrftoken"] = "something"
    answer = browser.post(page)
    assert "Set-Cookie" not in str(answer.headers)
    assert not answer.cookies
    assert not is_on(subscription)


def test_a_later_yes_outweighs_an_earlier_no(
    cast: Cast, browser: Browser, subscription: Subscription, page: str
) -> None:
    """U-30: the latest explicit act counts, and the old link then works again."""
    browser.post(page)
    ask = consent.ask(
        client=cast.client,
        address=cast.ada.address,
        ask=Ask(lists=(cast.mailing_list,)),
        provenance=FORM,
    )
    consent.confirm(event=ask, provenance=Provenance(means=Means.CONFIRM_PAGE))
    assert is_on(subscription)
    browser.post(page)
    assert not is_on(subscription)


def test_a_person_gets_a_page_where_a_machine_gets_a_line(
    browser: Browser, subscription: Subscription, page: str
) -> None:
    content = browser.post(page, HTTP_ACCEPT="text/html,*/*").content.decode()
    assert 'role="status"' in content
    assert "/p/" in content
