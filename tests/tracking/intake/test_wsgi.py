"""The front door: who answers what, and that no answer says more than it must."""

import pytest

from newsletter.models import Delivery, Link
from tests import mail_links
from tests.tracking.conftest import call
from tracking.intake import hits


def test_everything_else_goes_to_django() -> None:
    for path in ("/", "/s/heron/", "/u/x", "/admin/", "/in", "/link", "/i", "/l"):
        assert call(path).status == "299 Django"


@pytest.mark.parametrize(
    ("path", "bytes_declared", "status"),
    [
        ("/u/x", "80000000", "413 Content Too Large"),
        ("/s/heron/", "1000001", "413 Content Too Large"),
        ("/admin/login/", "80000000", "413 Content Too Large"),
        ("/admin/newsletter/campaign/1/change/", "10000000", "299 Django"),
        ("/u/x", "1000000", "299 Django"),
        ("/u/x", "", "299 Django"),
        ("/u/x", "-5", "299 Django"),
        ("/u/x", "²", "299 Django"),
    ],
)
def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    path: str, bytes_declared: str, status: str
) -> None:
    """S-5: there is no input to read from; whoever spools it fails here."""
    assert call(path, "POST", CONTENT_LENGTH=bytes_declared).status == status


@pytest.mark.parametrize("path", ["/i/x", "/l/x"])
def test_nothing_can_be_posted_to_a_pixel_or_a_link(path: str, buffer: hits.Buffer) -> None:
    """O-4: nothing hangs on an open or a click."""
    answer = call(path, "POST")
    assert answer.status == "405 Method Not Allowed"
    assert answer.headers["Allow"] == "GET, HEAD"
    assert not buffer.waiting


def test_answers_are_not_kept_not_indexed_and_set_no_cookie(
    delivery: Delivery, link: Link, buffer: hits.Buffer
) -> None:
    """O-5, O-6."""
    for url in (
        mail_links.pixel("", delivery.pk),
        mail_links.click("", delivery.pk, link.pk),
        "/i/no-token",
        "/l/no-token",
    ):
        answer = call(url)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert not {name.lower() for name in answer.headers} & {"set-cookie", "vary", "server"}
