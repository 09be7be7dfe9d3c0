"""Signing in: limits, a forgotten password, sessions that end, and the password asked for again.

Mirrors several: accountability/signing_in/views.py, accountability/signing_in/limits.py,
accountability/signing_in/sessions.py, accountability/signing_in/password_again.py,
accountability/signing_in/forms.py.
"""

import re
import time
from datetime import timedelta

import pytest
import redis
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accountability.models import AuditEntry
from accountability.roles import Role
from accountability.signing_in import limits, sessions, views
from registrants.models import Assignment
from tests.cast import PASSWORD, Cast, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
LOGIN, FORGOTTEN = "/admin/login/", "/admin/forgotten/"
NEW = "seventeen rivers run"


def tried(name: str, password: str, address: str = "192.0.2.1") -> int:
    """Return the status of one try; 302 is in."""
    data = {"username": name, "password": password}
    return Browser(REMOTE_ADDR=address).post(LOGIN, data).status_code


@pytest.fixture
def staff() -> User:
    return make_staff("mira")


@pytest.fixture
def owner() -> User:
    return User.objects.create_superuser("owner", "owner@staff.example.org", PASSWORD)


def signed_in(user: User, *, minutes_ago: float = 0) -> Browser:
    """Return a browser whose password was given so long ago."""
    browser = Browser()
    browser.force_login(user)
    session = browser.session
    session[sessions.GIVEN_AT] = time.time() - 60 * minutes_ago
    session.save()
    return browser


def test_five_failures_from_one_address_wait_and_say_how_long(staff: User) -> None:
    assert [tried("mira", "wrong") for _ in range(5)] == [200] * 5
    browser = Browser(REMOTE_ADDR="192.0.2.1")
    response = browser.post(LOGIN, {"username": "mira", "password": PASSWORD})
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 60
    assert re.search(r"Wait \d+ seconds, then try again", response.content.decode())
    assert tried("mira", PASSWORD, "192.0.2.2") == 302, "another address is not locked out"


def test_the_wait_is_over_when_it_was_said_to_be(staff: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            tried("mira", "wrong")
        assert tried("mira", PASSWORD) == 429
        clock.shift(61)
        assert tried("mira", PASSWORD) == 302


def test_one_address_is_limited_over_all_names(staff: User) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        statuses = [tried(f"name{number}", "wrong") for number in range(31)]
    assert statuses == [200] * 30 + [429]


def test_ipv6_is_limited_by_its_network() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="2001:db8::1")
    assert limits.network(request) == "2001:db8::/64"
    request = RequestFactory().get("/", REMOTE_ADDR="::ffff:192.0.2.1")
    assert limits.network(request) == "192.0.2.1"


@pytest.mark.parametrize("name", ["mira", "nobody"])
def test_a_name_tried_from_everywhere_is_slowed_and_never_locked(staff: User, name: str) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for number in range(limits.BESIEGED):
            assert tried(name, "wrong", f"198.51.100.{number}") == 200
        assert tried(name, PASSWORD, "192.0.2.9") == 429
        for number in range(100, 110):  # the siege goes on, and changes nothing for the owner
            tried(name, "wrong", f"198.51.100.{number}")
        clock.shift(limits.FIRST_DELAY + 1)
        assert tried(name, PASSWORD, "192.0.2.9") == (302 if name == "mira" else 200)
    entry = AuditEntry.objects.get(act="sign-in-burst")
    assert entry.subject == (staff.pk if name == "mira" else None)
    assert "nobody" not in str(entry.detail)


def test_the_longest_wait_of_a_name_is_a_minute() -> None:
    assert limits._delay(limits.BESIEGED) == limits.FIRST_DELAY
    assert limits._delay(10**9) == limits.LONGEST_DELAY


def test_an_office_behind_one_address_signs_in_all_day(staff: User) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        assert {tried("mira", PASSWORD) for _ in range(40)} == {302}


def test_without_redis_some_tries_a_second_are_left(staff: User, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    statuses = [tried("mira", "wrong") for _ in range(15)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


def test_names_stand_in_redis_as_a_mac_alone(staff: User, valkey: redis.Redis) -> None:
    tried("mira", "wrong")
    keys = str(valkey.keys("*"))
    assert "sign-in" in keys
    assert "mira" not in keys
    assert all(valkey.ttl(key) > 0 for key in valkey.keys("*"))


def test_a_sign_in_is_in_the_trail(staff: User) -> None:
    tried("mira", PASSWORD)
    assert AuditEntry.objects.get(act="sign-in").staff == staff.pk


def test_a_hash_of_before_is_made_anew_with_argon2_at_sign_in(
    staff: User, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = [
        hasher for hasher in settings.PASSWORD_HASHERS if "MD5" not in hasher
    ]
    User.objects.filter(pk=staff.pk).update(
        password="pbkdf2_sha256$1$salt$Zz5GRskmQ4jPjjbmcCoPqkCQ0tvPlW0XyyTH+JPRSsY="
    )
    staff.refresh_from_db()
    staff.set_password(PASSWORD)
    assert staff.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1")


@pytest.mark.parametrize(
    "password", ["short one", "123456789012345", "mira@staff.example", "password1234"]
)
def test_a_weak_password_is_not_taken(staff: User, password: str) -> None:
    browser = signed_in(staff)
    typed = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    browser.post("/admin/password_change/", typed)
    staff.refresh_from_db()
    assert staff.check_password(PASSWORD)


def asked_for_a_link(
    address: str, monkeypatch: pytest.MonkeyPatch, network: str = "192.0.2.1"
) -> tuple[str, list[int]]:
    """Return the page, and for whom a mail was ordered."""
    orders: list[list[int]] = []

    def order(staff: list[int]) -> bool:
        orders.append(staff)
        return True

    monkeypatch.setattr(views, "_order", order)
    response = Browser(REMOTE_ADDR=network).post(FORGOTTEN, {"email": address})
    assert response.status_code == 200
    return re.sub(r'value="\w{64}"', "", response.content.decode()), orders[0]


def test_a_forgotten_password_is_answered_alike_whoever_asks(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_user("reader", "reader@example.org", PASSWORD)
    known, people = asked_for_a_link("MIRA@staff.example.org", monkeypatch)
    unknown, nobody = asked_for_a_link("nobody@staff.example.org", monkeypatch)
    assert known == unknown
    assert (people, nobody) == ([staff.pk], [])
    assert asked_for_a_link("reader@example.org", monkeypatch)[1] == [], "who is no staff"


def test_one_address_gets_three_links_an_hour_and_nobody_is_told(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [
        asked_for_a_link(staff.email, monkeypatch, f"192.0.2.{number}")[1] for number in range(4)
    ]
    assert people == [[staff.pk]] * 3 + [[]]


def test_who_asks_for_many_links_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_order", lambda staff: True)
    statuses = [
        Browser().post(FORGOTTEN, {"email": f"{number}@example.org"}).status_code
        for number in range(7)
    ]
    assert statuses == [200] * 6 + [429]


def test_the_link_is_made_of_the_first_staff_host_and_works_once(
    staff: User, settings: Settings
) -> None:
    settings.STAFF_URL = "https://staff.heron.example"
    other = signed_in(staff)
    views.mail_links([staff.pk])
    (letter,) = mail.outbox
    assert letter.to == [staff.email]
    match = re.search(r"https://staff\.heron\.example(/admin/new-password/\S+)", str(letter.body))
    assert match
    browser = Browser()
    form = browser.get(match[1], follow=True)
    assert form.status_code == 200
    done = browser.post(form.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW})
    assert done["Location"] == LOGIN
    staff.refresh_from_db()
    assert staff.check_password(NEW)
    assert other.get("/admin/").status_code == 302, "sessions of before have ended"
    again = Browser().get(match[1], follow=True).content.decode()
    assert "has been used" in again
    assert AuditEntry.objects.filter(act="password-reset", subject=staff.pk).count() == 1


def test_a_link_is_refused_after_an_hour(staff: User) -> None:
    views.mail_links([staff.pk])
    path = re.search(r"/admin/new-password/\S+", str(mail.outbox[0].body))
    assert path
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert "more than an hour old" in Browser().get(path[0], follow=True).content.decode()


def test_nobody_inactive_or_unknown_gets_a_mail(staff: User) -> None:
    User.objects.filter(pk=staff.pk).update(is_active=False)
    views.mail_links([staff.pk, 987654])
    assert mail.outbox == []


def test_a_password_change_ends_all_other_sessions(staff: User) -> None:
    here, there = signed_in(staff), signed_in(staff)
    typed = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post("/admin/password_change/", typed).status_code == 302
    assert here.get("/admin/").status_code == 200
    assert there.get("/admin/").status_code == 302
    assert AuditEntry.objects.filter(act="password-change", subject=staff.pk).exists()


def test_who_is_let_go_and_taken_back_has_no_session_left(staff: User, owner: User) -> None:
    theirs, page = signed_in(staff), reverse("admin:auth_user_change", args=[staff.pk])
    form = {"username": "mira", "email": staff.email, "first_name": "", "last_name": ""}
    formsets = {
        "assignments-TOTAL_FORMS": "0",
        "assignments-INITIAL_FORMS": "0",
        "assignment_set-TOTAL_FORMS": "0",
        "assignment_set-INITIAL_FORMS": "0",
    }
    saved = signed_in(owner).post(page, form | formsets | {"is_staff": "on"})
    assert saved.status_code == 302, saved.content.decode()[:3000]
    assert theirs.get("/admin/").status_code == 302
    User.objects.filter(pk=staff.pk).update(is_active=True)
    assert theirs.get("/admin/").status_code == 302


def test_staff_rights_ask_for_the_password_again_and_keep_what_was_typed(
    cast: Cast, staff: User, owner: User
) -> None:
    browser = signed_in(owner, minutes_ago=16)
    page = reverse("admin:registrants_assignment_add")
    typed = {"staff": staff.pk, "client": cast.client.pk, "role": Role.MARKETER}
    question = browser.post(page, typed)
    html = question.content.decode()
    assert question.status_code == 200
    assert f'name="staff" value="{staff.pk}"' in html
    assert not Assignment.objects.filter(staff=staff).exists()
    assert "no-store" in question["Cache-Control"]
    wrong = browser.post(page, typed | {"password_again": "wrong"})
    assert wrong.status_code == 403
    assert "This is not your password" in wrong.content.decode()
    assert not Assignment.objects.filter(staff=staff).exists()
    assert browser.post(page, typed | {"password_again": PASSWORD}).status_code == 302
    assert Assignment.objects.filter(staff=staff).exists()
    other = make_staff("nils")
    assert browser.post(page, typed | {"staff": other.pk}).status_code == 302, "given lately"


def test_guessing_the_password_again_is_limited(owner: User) -> None:
    browser = signed_in(owner, minutes_ago=16)
    page = reverse("admin:registrants_assignment_add")
    for _ in range(5):
        browser.post(page, {"password_again": "wrong"})
    assert "Too many tries" in browser.post(page, {"password_again": PASSWORD}).content.decode()


def test_credentials_and_exports_ask_for_the_password_again(cast: Cast, owner: User) -> None:
    browser = signed_in(owner, minutes_ago=16)
    campaign = cast.campaign()
    for page in (
        reverse("admin:newsletter_sender_change", args=[cast.sender.pk]),
        reverse("admin:tracking_report_export", args=[campaign.pk]),
        reverse("admin:auth_user_password_change", args=[owner.pk]),
    ):
        html = browser.post(page, {"from_name": "Herons & Sons"}).content.decode()
        assert "Confirm that it is you" in html, page
        assert 'value="Herons &amp; Sons"' in html
    assert browser.get("/admin/").status_code == 200, "looking asks for nothing"


def test_who_is_not_signed_in_is_led_to_signing_in_and_asked_nothing(cast: Cast) -> None:
    page = reverse("admin:newsletter_sender_change", args=[cast.sender.pk])
    response = Browser().post(page, {})
    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)


@pytest.mark.parametrize("path", [LOGIN, FORGOTTEN, "/admin/new-password/x/y/"])
def test_the_pages_of_signing_in_are_shown_to_anybody_under_a_staff_host_alone(path: str) -> None:
    assert Browser().get(path, follow=True).status_code == 200
    assert Browser(HTTP_HOST="elsewhere.example").get(path).status_code == 404
