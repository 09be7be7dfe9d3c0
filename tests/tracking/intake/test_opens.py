"""The pixel: always the same picture, noted only where its token is ours."""

import pytest

from registrants import tokens
from registrants.tokens import Scope
from tests import mail_links
from tests.tracking.conftest import call
from tracking.intake import hits


def test_a_pixel_is_43_bytes_and_its_open_is_noted(buffer: hits.Buffer) -> None:
    """O-6."""
    answer = call(mail_links.pixel("", 77))
    assert (answer.status, len(answer.body)) == ("200 OK", 43)
    assert answer.headers["Content-Type"] == "image/gif"
    [hit] = hits.unpack(b"".join(buffer.waiting))
    assert (hit.kind, hit.delivery, hit.link) == (hits.OPENED, 77, 0)


@pytest.mark.parametrize(
    "token", ["", "x", "A" * 34, "../../etc/passwd", "a\r\nb", "\xff" * 34, "A" * 5000]
)
def test_a_bad_token_gets_the_same_picture_and_nothing_is_noted(
    token: str, buffer: hits.Buffer
) -> None:
    """S-1."""
    answer = call(f"/i/{token}")
    assert (answer.status, len(answer.body)) == ("200 OK", 43)
    assert not buffer.waiting


def test_a_token_of_another_act_notes_nothing(buffer: hits.Buffer) -> None:
    """S-1: a token is for one act."""
    for scope in set(Scope) - {Scope.PIXEL}:
        call(f"/i/{tokens.make(scope, 77)}")
    assert not buffer.waiting


def test_a_head_request_opens_nothing(buffer: hits.Buffer) -> None:
    answer = call(mail_links.pixel("", 77), "HEAD")
    assert (answer.headers["Content-Length"], answer.body) == ("43", b"")
    assert not buffer.waiting
