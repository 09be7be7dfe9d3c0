"""Pixels and links: answered at once, without recording what is not to be recorded."""

import time
from typing import Any

import pytest
import redis
from django.db import connection
from pytest_django import Settings

from newsletter import approving, links, staging
from newsletter.models import Delivery, Link
from registrants import tokens
from tests.cast import Cast, measured
from tracking import clicks, stream
from tracking.front import front


class Answer:
    def __init__(self) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        self.body = b""


def call(path: str, method: str = "GET") -> Answer:
    answer = Answer()

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        answer.status, answer.headers = status, dict(headers)

    def beyond(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("299 Django", [])
        return [b""]

    environ = {"PATH_INFO": path, "REQUEST_METHOD": method}
    answer.body = b"".join(front(beyond)(environ, start))
    return answer


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    clicks._target.cache_clear()
    monkeypatch.setattr(clicks, "close_old_connections", lambda: None)  # a test's own transaction
    writer = stream.Writer()
    for module in ("tracking.opens", "tracking.clicks", "tracking.stream"):
        monkeypatch.setattr(f"{module}.writer", writer)


@pytest.fixture
def sent(cast: Cast) -> tuple[Delivery, Link]:
    measured(cast.ada)
    campaign = cast.campaign()
    approving.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    Delivery.objects.update(state="sent", opens=True, clicks=True)
    return Delivery.objects.get(), Link.objects.get()


def path(url: str) -> str:
    return url.removeprefix("http://h")


def held(valkey: redis.Redis) -> int:
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and not valkey.xlen(stream.NAME):
        time.sleep(0.02)
    return int(valkey.xlen(stream.NAME))


def test_a_pixel_is_43_bytes_never_stored_and_noted(
    sent: tuple[Delivery, Link], valkey: redis.Redis
) -> None:
    """O-6."""
    answer = call(path(links.pixel("http://h", sent[0].pk)))
    assert (answer.status, len(answer.body)) == ("200 OK", 43)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert held(valkey) == 1


def test_a_link_leads_to_its_stored_target(
    sent: tuple[Delivery, Link], valkey: redis.Redis
) -> None:
    """O-5, S-2."""
    answer = call(path(links.click("http://h", sent[0].pk, sent[1].pk)))
    assert answer.status == "302 Found"
    assert answer.headers["Location"] == "https://heron.example.org/new"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert held(valkey) == 1


def test_a_head_request_is_answered_and_not_noted(
    sent: tuple[Delivery, Link], valkey: redis.Redis
) -> None:
    """O-5: scanners ask with HEAD."""
    answer = call(path(links.click("http://h", sent[0].pk, sent[1].pk)), "HEAD")
    assert answer.status == "302 Found"
    time.sleep(0.1)
    assert valkey.xlen(stream.NAME) == 0


@pytest.mark.parametrize("token", ["", "x" * 34, "//evil.example", "https:evil", "a\r\nb"])
def test_a_token_that_is_not_ours_leads_nowhere(db: None, token: str) -> None:
    """AT-S2."""
    answer = call(f"/l/{token}")
    assert answer.status == "404 Not Found"
    assert "Location" not in answer.headers
    assert len(call(f"/i/{token}").body) == 43


def test_an_open_tokens_mac_opens_no_link(sent: tuple[Delivery, Link]) -> None:
    """S-1: a token is for one act."""
    token = tokens.make("i", sent[0].pk, sent[1].pk)
    assert call(f"/l/{token}").status == "404 Not Found"


def test_an_unknown_link_is_404(sent: tuple[Delivery, Link]) -> None:
    assert call(path(links.click("http://h", 1, 9999))).status == "404 Not Found"


def test_without_redis_it_answers_and_keeps_the_hit(
    sent: tuple[Delivery, Link], settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert call(path(links.pixel("http://h", sent[0].pk))).status == "200 OK"
    assert call(path(links.click("http://h", sent[0].pk, sent[1].pk))).status == "302 Found"


def test_without_the_database_known_links_lead_on_and_others_wait(
    sent: tuple[Delivery, Link],
) -> None:
    known = path(links.click("http://h", sent[0].pk, sent[1].pk))
    assert call(known).status == "302 Found"

    def gone(execute: Any, *words: Any) -> None:
        from django.db import OperationalError

        raise OperationalError("the connection is lost")

    with connection.execute_wrapper(gone):
        assert call(known).status == "302 Found"
        answer = call(path(links.click("http://h", sent[0].pk, 9999)))
    assert answer.status == "503 Service Unavailable"
    assert answer.headers["Retry-After"] == "5"


def test_everything_else_goes_to_django() -> None:
    assert call("/s/heron/").status == "299 Django"
    assert call("/i/x", "POST").status == "299 Django"
