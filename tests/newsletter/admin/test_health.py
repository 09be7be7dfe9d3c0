"""Whether all is well, told to machines, to monitoring with its token, and to staff."""

import time
from datetime import timedelta

import pytest
import redis
from django.test import Client as Browser
from django.utils.timezone import now
from pytest_django import Settings

from accountability.models import AuditEntry
from accountability.roles import Role
from newsletter import fence, tasks
from newsletter.mailings import lifecycle
from newsletter.models import Lease, Mailing, Sender, SetAside
from newsletter.monitoring import health
from tests.cast import PASSWORD, Cast, make_client, make_sender, make_staff
from tests.newsletter.delivery.test_resolving_unknown import with_unknown

pytestmark = pytest.mark.django_db
TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture
def alive(valkey: redis.Redis) -> redis.Redis:
    """Have every part say that it is alive."""
    for name in health.BEATS:
        health.beat(name)
    return valkey


def scraped(settings: Settings) -> str:
    settings.METRICS_TOKEN = TOKEN
    answer = Browser().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    return answer.content.decode()


def test_where_all_is_well_machines_hear_so(alive: redis.Redis) -> None:
    answer = Browser().get("/healthz")
    assert answer.status_code == 200
    health_report = answer.json()
    assert health_report["well"] is True
    assert set(health_report["parts"]) == {"database", "redis", *health.BEATS}
    assert set(health.BEATS) == {"timetable", "letters", "campaigns", "staging"}
    assert health_report["parts"]["timetable"]["seconds"] < 5


def test_a_timetable_that_stands_still_is_named(alive: redis.Redis) -> None:
    alive.set("beat:timetable", time.time() - 61)
    answer = Browser().get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["timetable"]["well"] is False
    assert answer.json()["parts"]["campaigns"]["well"] is True


def test_redis_away_is_named_and_a_load_balancer_may_ask_of_one_part(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert Browser().get("/healthz").status_code == 503
    assert Browser().get("/healthz", {"part": "database"}).status_code == 200
    assert Browser().get("/healthz", {"part": ["database", "redis"]}).status_code == 503
    assert Browser().get("/healthz", {"part": "nothing"}).status_code == 503


def test_what_machines_hear_holds_no_secret(alive: redis.Redis, settings: Settings) -> None:
    health_json = Browser().get("/healthz").content.decode()
    for secret in (settings.REDIS_URL, settings.SECRET_KEY, settings.DATABASES["default"]["HOST"]):
        assert secret not in health_json
    assert Browser().post("/healthz").status_code == 405


def test_the_tasks_say_that_they_are_alive(valkey: redis.Redis, transactional_db: None) -> None:
    assert health.silences() == dict.fromkeys(health.BEATS)
    tasks.tend()
    tasks.send_letters()
    tasks.send_campaigns()
    tasks.stage()
    silences = health.silences()
    assert silences is not None
    assert all(seconds is not None and seconds < 30 for seconds in silences.values())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "é"},
    ],
)
def test_without_its_token_nobody_reads_the_figures(
    settings: Settings, headers: dict[str, str]
) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = Browser().get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert b"heed_" not in answer.content


def test_where_no_token_is_set_there_are_no_figures(
    settings: Settings, admin_client: Browser
) -> None:
    settings.METRICS_TOKEN = ""
    assert admin_client.get("/metrics").status_code == 404
    assert Browser().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_the_figures_tell_of_mailings_deliveries_and_what_waits(
    cast: Cast, alive: redis.Redis, settings: Settings
) -> None:
    campaign = with_unknown(cast)
    Lease.objects.update(due_at=now() - timedelta(seconds=90), waits_for_person=False)
    Sender.objects.filter(pk=campaign.sender_id).update(stopped_at=now())
    text = scraped(settings)
    for line in (
        'heed_mailings{kind="campaign",state="sending"} 1.0',
        f'heed_deliveries{{mailing="{campaign.pk}",state="sent"}} 2.0',
        f'heed_deliveries{{mailing="{campaign.pk}",state="unknown"}} 5.0',
        f'heed_deliveries{{mailing="{campaign.pk}",state="waiting"}} 0.0',
        'heed_leases_open{lane="campaigns"} 1.0',
        'heed_oldest_due_seconds{lane="campaigns"} 9',
        "heed_unknown_undecided 5.0",
        "heed_senders_stopped 1.0",
        "heed_workers 0.0",
        "heed_mailings_overdue 0.0",
        'heed_up{part="redis"} 1.0',
        'heed_silence_seconds{part="timetable"}',
    ):
        assert line in text
    assert "@" not in text


def test_the_figures_tell_that_redis_is_away(cast: Cast, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    text = scraped(settings)
    assert 'heed_up{part="redis"} 0.0' in text
    assert 'heed_up{part="database"} 1.0' in text
    assert "heed_senders_stopped 0.0" in text


def test_a_decided_unknown_is_counted_no_more(cast: Cast, settings: Settings) -> None:
    from newsletter.delivery import resolving_unknown
    from tests.newsletter.delivery.test_resolving_unknown import CUT

    campaign = with_unknown(cast)
    resolving_unknown.accept_unknown(mailing=campaign, staff=1, answer=CUT)
    assert health.undecided() == 3


def test_what_a_paused_mailing_holds_does_not_wait(cast: Cast) -> None:
    campaign = with_unknown(cast)
    Lease.objects.update(due_at=now() - timedelta(seconds=90), waits_for_person=False)
    lifecycle.pause(mailing=campaign, staff=1)
    assert {lane.name: lane.oldest_due_seconds for lane in health.lanes()}["campaigns"] == 0


def browser_of(name: str, cast: Cast, role: str) -> Browser:
    make_staff(name, client=cast.client, role=role)
    browser = Browser()
    assert browser.login(username=name, password=PASSWORD)
    return browser


def test_staff_who_set_things_up_see_what_wants_a_person(cast: Cast, alive: redis.Redis) -> None:
    campaign = with_unknown(cast)
    Mailing.objects.filter(pk=cast.campaign(subject="Late").pk).update(
        state="scheduled", scheduled_at=now() - timedelta(hours=3)
    )
    Sender.objects.update(stopped_at=now(), stopped_reason="535 Wrong password")
    other = make_sender(make_client("Other", "other"), name="Not yours")
    Sender.objects.filter(pk=other.pk).update(stopped_at=now(), stopped_reason="secret words")
    browser = browser_of("adam", cast, Role.ADMINISTRATOR)
    page = browser.get("/admin/health/").content.decode()
    for text in ("All is well", "535 Wrong password", "Late", "came due", campaign.subject):
        assert text in page
    assert "Not yours" not in page
    assert "secret words" not in page
    assert "All is well" in browser.get("/admin/health/", {"part": "now"}).content.decode()


def test_others_see_no_health_page(cast: Cast) -> None:
    assert browser_of("mara", cast, Role.MARKETER).get("/admin/health/").status_code == 403
    assert "/login/" in Browser().get("/admin/health/")["Location"]


def aside(cast: Cast) -> tuple[Mailing, list[SetAside]]:
    """Set aside a campaign and the letters of the cast's client, and something of nobody's."""
    campaign = cast.campaign(subject="Stuck")
    Mailing.objects.filter(pk=campaign.pk).update(state="staging")
    rows: list[SetAside] = []
    for subject in (
        fence.of_mailing("stage", campaign),
        fence.Subject("letters", client=cast.client.pk, letter="confirm"),
        fence.Subject("drain"),
    ):
        with fence.Fence().around(subject):
            raise KeyError("ada@example.net")
        rows.append(SetAside.objects.latest("pk"))
    return campaign, rows


def test_what_is_set_aside_is_told_and_can_be_tried_again_now(
    cast: Cast, alive: redis.Redis
) -> None:
    campaign, rows = aside(cast)
    browser = browser_of("adam", cast, Role.ADMINISTRATOR)
    for address in ("/admin/health/", f"/admin/newsletter/campaign/{campaign.pk}/progress/"):
        page = browser.get(address).content.decode()
        assert "Something unforeseen went wrong in staging (KeyError" in page
        assert "Failed 1 time since" in page
        assert "Try again now" in page
        assert "ada@example.net" not in page
    page = browser.get("/admin/health/").content.decode()
    assert f"Sending letters (please confirm) of {cast.client}" in page
    assert "Noting opens and clicks" in page
    home = browser.get("/admin/").content.decode()
    assert "Stuck" in home
    assert f"Letters of {cast.client}" in home
    for row in rows:
        browser.post(f"/admin/health/{row.pk}/try-again/")
        row.refresh_from_db()
        assert row.due_at <= now()
    campaign.refresh_from_db()
    assert campaign.waiting_until is None
    assert AuditEntry.objects.filter(act="try again").count() == 3
    SetAside.objects.update(due_at=now() + timedelta(minutes=9))
    browser.post(f"/admin/newsletter/campaign/{campaign.pk}/move/try_again/")
    assert campaign.set_aside.get().due_at <= now()


def test_nobody_else_sees_or_hurries_what_is_set_aside(cast: Cast, alive: redis.Redis) -> None:
    campaign, rows = aside(cast)
    other = make_client("Other", "other")
    make_staff("olaf", client=other, role=Role.ADMINISTRATOR)
    stranger = Browser()
    assert stranger.login(username="olaf", password=PASSWORD)
    page = stranger.get("/admin/health/").content.decode()
    assert "Stuck" not in page
    assert "please confirm" not in page
    assert "Noting opens and clicks" in page
    assert stranger.get(f"/admin/health/{rows[0].pk}/try-again/").status_code == 405
    for row in rows[:2]:
        stranger.post(f"/admin/health/{row.pk}/try-again/")
        row.refresh_from_db()
        assert row.due_at > now()
    assert "Stuck" not in stranger.get("/admin/").content.decode()
    move = f"/admin/newsletter/campaign/{campaign.pk}/move/try_again/"
    assert stranger.post(move).status_code == 404
    marketer = browser_of("mara", cast, Role.MARKETER)
    assert marketer.post(f"/admin/health/{rows[1].pk}/try-again/").status_code == 403
    assert "/login/" in Browser().post(f"/admin/health/{rows[1].pk}/try-again/")["Location"]


def test_one_part_that_cannot_be_told_hides_no_other(
    cast: Cast, alive: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside(cast)

    def fails(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(health, "workers", fails)
    monkeypatch.setattr(lifecycle, "overdue", fails)
    text = scraped(settings)
    for line in (
        'heed_set_aside{step="stage"} 1.0',
        'heed_set_aside{step="letters"} 1.0',
        'heed_set_aside{step="send"} 0.0',
        "heed_figures_untold 1.0",
        'heed_leases_open{lane="campaigns"} 0.0',
    ):
        assert line in text
    page = browser_of("adam", cast, Role.ADMINISTRATOR).get("/admin/health/").content.decode()
    assert "cannot be told at present (wanted, workers)" in page
    assert "Stuck" in page
