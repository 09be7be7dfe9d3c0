"""A mailing that went out measured, and a way to call the front door."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from newsletter.delivery import staging
from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Link
from tests.cast import Cast, measured
from tests.moves import any_move
from tracking.intake import hits, link_targets
from tracking.intake.wsgi import front


@dataclass
class Answer:
    """What the door answered."""

    status: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def call(path: str, method: str = "GET", **more: str) -> Answer:
    """Call the front door with nothing behind it."""
    answer = Answer()

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        answer.status, answer.headers = status, dict(headers)
        assert len(answer.headers) == len(headers)

    def beyond(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("299 Django", [])
        return [b""]

    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, **more}
    answer.body = b"".join(front(beyond)(environ, start))
    return answer


@pytest.fixture
def buffer(monkeypatch: pytest.MonkeyPatch) -> Iterator[hits.Buffer]:
    """Return a buffer of this test's own that is written by hand; no link is known yet."""
    own = hits.Buffer()
    monkeypatch.setattr(own, "_start", lambda: None)
    monkeypatch.setattr(hits, "BUFFER", own)
    link_targets.MAP.clear()
    yield own
    link_targets.MAP.clear()


@pytest.fixture
def delivery(cast: Cast) -> Delivery:
    """Return Ada's delivery of a campaign that went out with pixel and links."""
    measured(cast.ada)
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    with any_move():
        Delivery.objects.update(state=Delivery.State.SENT, opens=True, clicks=True)
    return Delivery.objects.get()


@pytest.fixture
def link(delivery: Delivery) -> Link:
    """Return the link of that campaign."""
    return Link.objects.get(mailing=delivery.mailing_id)
