"""A sender's provider, its stand-in, its pace and its way back into use, by the form.

Mirrors several: newsletter/admin/sender.py, newsletter/admin/sender_form.py,
newsletter/admin/sender_panel.py, newsletter/admin/warm_up.py.
"""

import json
from datetime import date, timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils.timezone import now

from accountability.models import AuditEntry
from newsletter import pace
from newsletter.admin import warm_up
from newsletter.models import PaceRule, Sender
from newsletter.pace import limits, memory
from newsletter.senders.warm_up import Plan
from tests.cast import Cast, make_client, make_sender
from tests.newsletter.admin.test_sender_page import change, form
from tests.newsletter.pace.pacing import GMAIL, SLOW_DOWN, go

pytestmark = pytest.mark.django_db
KEY = "key-3f9a-never-seen-again"
POSTMARK = {"transport": "provider", "provider": "postmark"}


@pytest.fixture(autouse=True)
def fresh(valkey: redis.Redis) -> None:
    """Begin as a new process."""
    memory.forget()
    limits.forget()


@pytest.fixture
def sender(cast: Cast) -> Sender:
    """Return a sender that leaves by Postmark."""
    sender = cast.sender
    sender.transport, sender.provider = "provider", "postmark"
    sender.credentials = json.dumps({"server_token": KEY})
    sender.save()
    return sender


def kept(sender: Sender) -> dict[str, Any]:
    """Return the credentials as the code reads them."""
    stored = Sender.objects.get(pk=sender.pk)
    return {"provider": stored.provider} | json.loads(stored.credentials or "{}")


def faults(answer: Any) -> dict[str, Any]:
    """Return what the form says is wrong, by field."""
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def test_a_key_is_stored_encrypted_and_never_in_a_page(cast: Cast, administrator: Browser) -> None:
    """Not when it was just saved, nor when it comes back with a fault."""
    form_data = POSTMARK | {"postmark__server_token": KEY}
    page = change(cast.sender)
    wrong = administrator.post(page, form(cast.sender, **form_data, name=""))
    assert KEY not in wrong.content.decode()
    right = administrator.post(page, form(cast.sender, **form_data), follow=True)
    assert KEY not in right.content.decode() + administrator.get(page).content.decode()
    assert kept(cast.sender) == {"provider": "postmark", "server_token": KEY}
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM newsletter_sender WHERE id = %s", [cast.sender.pk])
        assert KEY not in cursor.fetchone()[0]


def test_left_empty_the_key_stays(sender: Sender, administrator: Browser) -> None:
    """Other fields change without it."""
    assert administrator.post(change(sender), form(sender, **POSTMARK)).status_code == 302
    assert kept(sender)["server_token"] == KEY


def test_another_provider_asks_for_its_own_key(sender: Sender, administrator: Browser) -> None:
    """The one kept goes nowhere else, even where the fields are called alike."""
    sender.provider, sender.credentials = "brevo", json.dumps({"api_key": KEY})
    sender.save()
    form_data = {"transport": "provider", "provider": "resend"}
    answer = administrator.post(change(sender), form(sender, **form_data))
    assert list(faults(answer)) == ["resend__api_key"]
    assert kept(sender) == {"provider": "brevo", "api_key": KEY}


def test_another_address_of_the_api_asks_for_the_key_again(
    sender: Sender, administrator: Browser
) -> None:
    """So that nobody can have it sent to a server of theirs."""
    sender.provider, sender.credentials = "mailgun", json.dumps({"api_key": KEY})
    sender.save()
    form_data = {"transport": "provider", "provider": "mailgun"}
    moved = form_data | {"mailgun__api_url": "https://evil.example.net/v3"}
    assert list(faults(administrator.post(change(sender), form(sender, **moved)))) == [
        "mailgun__api_key"
    ]
    plain = moved | {"mailgun__api_url": "http://evil.example.net/", "mailgun__api_key": "new"}
    assert list(faults(administrator.post(change(sender), form(sender, **plain)))) == [
        "mailgun__api_url"
    ]
    known = moved | {"mailgun__api_url": "https://api.eu.mailgun.net/v3", "mailgun__api_key": "n"}
    assert administrator.post(change(sender), form(sender, **known)).status_code == 302
    page = administrator.get(change(sender)).content.decode()
    assert "https://api.eu.mailgun.net/v3" in page and 'value="n"' not in page


@pytest.mark.parametrize(
    "form_data",
    [
        {"transport": "smtp", "host": "mail.example.org", "provider": "postmark"},
        {"transport": "installation"},
    ],
)
def test_the_key_is_forgotten_with_its_provider(
    sender: Sender, administrator: Browser, form_data: dict[str, Any]
) -> None:
    """It would serve nobody, and could only leak."""
    assert administrator.post(change(sender), form(sender, **form_data)).status_code == 302
    assert kept(sender) == {"provider": ""}


@pytest.mark.parametrize("provider", ["", "carrier-pigeon"])
def test_a_provider_is_one_we_know(cast: Cast, administrator: Browser, provider: str) -> None:
    """The fault stands at the field."""
    form_data = {"transport": "provider", "provider": provider}
    assert "provider" in faults(
        administrator.post(change(cast.sender), form(cast.sender, **form_data))
    )


def test_what_must_be_known_of_a_provider_is_said(sender: Sender, administrator: Browser) -> None:
    """On its page, and when it is saved."""
    sender.provider, sender.credentials = "sparkpost", json.dumps({"api_key": KEY})
    sender.save()
    warning = "Own one-click unsubscribe cannot be had"
    assert warning in administrator.get(change(sender)).content.decode()
    form_data = {"transport": "provider", "provider": "sparkpost"}
    saved = administrator.post(change(sender), form(sender, **form_data), follow=True)
    messages = [str(message) for message in saved.context["messages"]]
    assert any(warning in message for message in messages)


def test_stand_ins_go_round_in_no_circle(cast: Cast, administrator: Browser) -> None:
    """The fault names the way round; the order of preference is shown."""
    second = make_sender(cast.client, name="Second", is_default=False)
    third = make_sender(cast.client, name="Third", is_default=False, fallback=cast.sender)
    second.fallback = third
    second.save()
    answer = administrator.post(change(cast.sender), form(cast.sender, fallback=second.pk))
    assert "The shop → Second → Third → The shop" in str(faults(answer)["fallback"])
    page = administrator.get(change(second)).content.decode()
    assert page.index("Order of preference") < page.index("Third, by") < page.index("The shop, by")


def test_nobody_stands_in_for_another_client(cast: Cast, administrator: Browser) -> None:
    """Nor for themselves."""
    other = make_sender(make_client("Otter Press", "otter"), name="Theirs")
    for wrong in (other, cast.sender):
        answer = administrator.post(change(cast.sender), form(cast.sender, fallback=wrong.pk))
        assert "fallback" in faults(answer)


def test_the_pace_of_a_receiver_is_set_in_the_page(cast: Cast, administrator: Browser) -> None:
    """Once for each; changed and taken away again."""
    rows = {
        "pace_rules-TOTAL_FORMS": 2,
        "pace_rules-0-receiver": GMAIL,
        "pace_rules-0-per_second": "20",
        "pace_rules-0-connections": "",
        "pace_rules-1-receiver": "",
    }
    page = change(cast.sender)
    answer = administrator.post(page, form(cast.sender, per_second=50, **rows))
    assert answer.status_code == 302
    rule = PaceRule.objects.get()
    assert (rule.receiver, rule.per_second, rule.connections) == (GMAIL, 20, None)
    gone = rows | {
        "pace_rules-TOTAL_FORMS": 1,
        "pace_rules-INITIAL_FORMS": 1,
        "pace_rules-0-id": rule.pk,
        "pace_rules-0-sender": cast.sender.pk,
        "pace_rules-0-DELETE": "on",
    }
    assert administrator.post(page, form(cast.sender, **gone)).status_code == 302
    assert not PaceRule.objects.exists()
    assert Sender.objects.get(pk=cast.sender.pk).per_second is None


def test_a_rule_that_limits_nothing_is_refused(cast: Cast, administrator: Browser) -> None:
    """And in the empty row nothing is chosen beforehand."""
    page = change(cast.sender)
    rows = {"pace_rules-TOTAL_FORMS": 1, "pace_rules-0-receiver": "0"}
    assert administrator.post(page, form(cast.sender, **rows)).status_code == 200
    assert not PaceRule.objects.exists()
    [inline] = administrator.get(page).context["inline_admin_formsets"]
    chosen = inline.formset.forms[0]["receiver"]
    assert chosen.value() is None and chosen.field.choices[0] == ("", "–")


@pytest.mark.parametrize("form_data", [{"quiet_from": "22:00"}, {"quiet_until": "07:00"}])
def test_quiet_hours_come_in_pairs(
    cast: Cast, administrator: Browser, form_data: dict[str, str]
) -> None:
    """The fault stands at the one that is missing."""
    missing = {"quiet_from", "quiet_until"} - form_data.keys()
    assert (
        set(faults(administrator.post(change(cast.sender), form(cast.sender, **form_data))))
        == missing
    )


def test_a_stopped_sender_says_why_and_is_used_again_by_a_person(
    cast: Cast, administrator: Browser
) -> None:
    """By one button, kept in the trail, and who asked us to slow down is tried too."""
    sender = cast.sender
    sender.stopped_at, sender.stopped_reason = now(), "535 the password is wrong"
    sender.save()
    pace.record(sender, [(GMAIL, SLOW_DOWN)])
    page = administrator.get(change(sender)).content.decode()
    assert "535 the password is wrong" in page and "Use this sender again" in page
    again = reverse("admin:newsletter_sender_use_again", args=[sender.pk])
    assert administrator.get(again).status_code == 405
    assert administrator.post(again).status_code == 302
    sender.refresh_from_db()
    assert (sender.stopped_at, sender.stopped_reason) == (None, "")
    assert go(sender, {GMAIL: 5}) == {GMAIL: 5}
    entry = AuditEntry.objects.get(act="use-again")
    assert (entry.subject, entry.detail) == (sender.pk, {"was_stopped": True})
    assert "Use this sender again" not in administrator.get(change(sender)).content.decode()


def test_only_who_may_set_up_senders_uses_one_again(cast: Cast, browser: Browser) -> None:
    """A marketer of the same client may not, nor an administrator of another."""
    cast.sender.stopped_at = now()
    cast.sender.save()
    again = reverse("admin:newsletter_sender_use_again", args=[cast.sender.pk])
    assert browser.post(again).status_code in (403, 404)
    assert Sender.objects.get(pk=cast.sender.pk).stopped_at is not None


def test_the_page_of_another_clients_sender_is_not_there(
    cast: Cast, administrator: Browser
) -> None:
    """Nor its way back into use."""
    other = make_sender(make_client("Otter Press", "otter"), stopped_at=now())
    again = reverse("admin:newsletter_sender_use_again", args=[other.pk])
    assert administrator.post(again).status_code == 404
    assert Sender.objects.get(pk=other.pk).stopped_at is not None


def test_the_warm_up_is_drawn_with_what_was_sent_today(cast: Cast, administrator: Browser) -> None:
    """As bars, in words, and as a table."""
    sender = cast.sender
    sender.warm_up_on = now().date()
    sender.warm_up_first, sender.warm_up_growth, sender.warm_up_until = 100, 50, 400
    sender.save()
    limits.forget()
    go(sender, {GMAIL: 30})
    page = administrator.get(change(sender)).content.decode()
    assert "Today 30 of 100 were sent." in page
    assert page.count('class="heed-bar-coming"') == 3
    assert page.count('class="heed-bar-today"') == page.count('class="heed-bar-sent"') == 1


def test_the_bars_stand_within_the_picture() -> None:
    """Also where more was sent than the ceiling, by notices and letters."""
    plan = Plan(on=date(2026, 11, 23), first=100, growth=50, until=400)
    drawn = warm_up.ramp_chart(plan, date(2026, 11, 24), 900)
    assert drawn.sent is not None
    for bar in (*drawn.bars, drawn.sent):
        assert bar.x >= 0 and bar.x + bar.width <= warm_up.CURVE_WIDTH
        assert bar.y >= 0 and bar.y + bar.height == pytest.approx(warm_up.CURVE_HEIGHT)
    assert [bar.when for bar in drawn.bars] == ["past", "today", "coming", "coming"]
    assert drawn.scale[0] == 900
    over = warm_up.ramp_chart(plan, plan.on + timedelta(days=9), 5)
    assert over.sent is None and over.words.endswith("It is over.")
