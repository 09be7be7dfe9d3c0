"""One compile for each key pressed, kept a while, bounded, and one at a time for each person (A1).

Mirrors several: newsletter/admin/kept_previews.py, newsletter/admin/turns.py,
newsletter/admin/previews.py.
"""

import threading
import time
from collections.abc import Iterator
from unittest.mock import patch

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client as Browser

from newsletter import sandbox
from newsletter.admin import kept_previews, turns
from newsletter.review.previewing import Preview
from newsletter.sandbox import pool
from tests.cast import Cast
from tests.newsletter.admin.test_previews import shown
from tests.newsletter.admin.test_writing import address, errors, typed

PREVIEW = Preview("News", "<p>Ünïcode</p>", "text", b"To: x\r\n")


@pytest.fixture
def jobs() -> Iterator[list[str]]:
    """Return the names of the jobs the sandboxes were asked for."""
    asked: list[str] = []
    ask = pool._asked

    def counted(message: dict[str, object]) -> object:
        asked.append(str(message["job"]))
        return ask(message)

    with patch.object(pool, "_asked", counted):
        yield asked


@pytest.mark.django_db
def test_a_key_pressed_costs_one_compile(cast: Cast, browser: Browser, jobs: list[str]) -> None:
    """It answers faults, checks and the preview, whichever part of it is looked at."""
    campaign = cast.campaign()
    answer = browser.post(address("unsaved", campaign), typed(campaign, body="Fresh words")).json()
    assert "passed" in answer["checks"]
    for part in ("html", "phone", "dark", "text", "source"):
        assert "Fresh words" in shown(browser, campaign, part, unsaved=answer["unsaved"])
    assert jobs == ["look"]


@pytest.mark.django_db
def test_a_page_opened_costs_one_compile_with_its_preview(
    cast: Cast, browser: Browser, jobs: list[str]
) -> None:
    page = browser.get(address("change", cast.campaign()))
    assert "Hello Ada" in browser.get(page.context["panel"]["preview"]).content.decode()
    assert jobs == ["look"]


@pytest.mark.django_db
def test_the_preview_of_what_is_typed_is_of_the_person_chosen(cast: Cast, browser: Browser) -> None:
    campaign = cast.campaign()
    form_data = typed(campaign, body="For {{ registrant.name }}") | {"person": cast.ada.pk}
    answer = browser.post(address("unsaved", campaign), form_data).json()
    assert "For Ada" in shown(browser, campaign, unsaved=answer["unsaved"])


def test_a_preview_is_kept_for_one_person_and_one_mailing_alone(valkey: redis.Redis) -> None:
    key = kept_previews.keep(PREVIEW, staff=1, mailing=7)
    assert kept_previews.kept(key, staff=1, mailing=7) == PREVIEW
    for staff, mailing in ((2, 7), (1, 8)):
        assert kept_previews.kept(key, staff=staff, mailing=mailing) is None
    for other in ("", "x", f"9.{key[2:]}", f"{key}x", f"{key[:2]}", "²." + key[2:]):
        assert kept_previews.kept(other, staff=1, mailing=7) is None


def test_what_is_kept_is_bounded_in_number_size_and_time(valkey: redis.Redis) -> None:
    keys = [kept_previews.keep(PREVIEW, staff=1, mailing=7) for _ in range(kept_previews.MOST + 2)]
    previews = [kept_previews.kept(key, staff=1, mailing=7) for key in keys]
    assert previews == [None, None, *[PREVIEW] * kept_previews.MOST]
    assert len(list(valkey.scan_iter("preview*"))) == kept_previews.MOST + 1
    assert all(0 < valkey.ttl(name) <= 900 for name in valkey.scan_iter("preview*"))
    noise = "".join(chr(33 + (n * n * 31 + n // 7) % 90) for n in range(900_000))
    with patch.object(kept_previews, "KEPT_LONGEST", 1000):
        large = Preview("", noise, "", b"")
        assert kept_previews.keep(large, staff=1, mailing=7) == ""


def test_without_redis_nothing_is_kept_and_nothing_fails() -> None:
    with patch.object(kept_previews, "server", side_effect=redis.ConnectionError):
        assert kept_previews.keep(PREVIEW, staff=1, mailing=7) == ""
        assert kept_previews.kept("1.abc", staff=1, mailing=7) is None
    with patch.object(turns, "server", side_effect=redis.ConnectionError), turns._turn(1):
        pass


def test_one_person_has_one_turn_and_waits_in_one_place(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits and gets it; a third is turned away at once; others do not wait."""
    outcomes: list[str] = []

    def second() -> None:
        with turns._turn(1):
            outcomes.append("second")

    with turns._turn(1):
        waiting = threading.Thread(target=second)
        waiting.start()
        while not valkey.exists("turn:1:next"):
            time.sleep(0.01)
        began = time.monotonic()
        with pytest.raises(sandbox.UsedUp, match="something else that you have asked for"):
            turns._turn(1).__enter__()
        with turns._turn(2):
            assert time.monotonic() - began < 1
    waiting.join()
    assert outcomes == ["second"]
    assert not list(valkey.scan_iter("turn:*"))
    monkeypatch.setattr(turns, "TURN_PATIENCE", 0.1)
    with turns._turn(1), pytest.raises(sandbox.UsedUp):
        turns._turn(1).__enter__()


@pytest.mark.django_db
def test_whoever_has_something_made_is_told_and_loses_nothing(
    cast: Cast, browser: Browser, marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows the keys asks again; what is saved stands at its field with what was typed."""
    campaign = cast.campaign()
    monkeypatch.setattr(turns, "TURN_PATIENCE", 0.05)
    with turns._turn(marketer.pk):
        assert browser.post(address("unsaved", campaign), typed(campaign)).status_code == 429
        answer = browser.post(address("change", campaign), typed(campaign, body="Typed by me"))
        assert "something else that you have asked for" in errors(answer)["body"][0]
        assert "Typed by me" in answer.content.decode()
    assert browser.post(address("unsaved", campaign), typed(campaign)).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "opening", ["<mj-image ", "(  ", "{{ registrant.nmae }} ", "&lt;mj-image "]
)
def test_the_web_process_itself_does_little_with_what_is_typed(
    cast: Cast, browser: Browser, opening: str
) -> None:
    """What it reads off the made mail is linear too: 190 kB of one opening took 14 s."""
    campaign = cast.campaign()
    form_data = typed(campaign, body=opening * (190_000 // len(opening)))
    began = time.process_time()
    answer = browser.post(address("unsaved", campaign), form_data).json()
    shown(browser, campaign, unsaved=answer["unsaved"])
    assert time.process_time() - began < 1
