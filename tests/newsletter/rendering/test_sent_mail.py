"""One mail as a mail server got it, point by point against standards §1.1 and §5, by the
standard library's parser, which had no part in making it.

Mirrors several: newsletter/content, newsletter/rendering, newsletter/delivery/run.py.
"""

import email
import email.policy
import re
from email.message import EmailMessage

import pytest
from pytest_django import Settings

from newsletter.delivery import staging, worker
from newsletter.mailings import lifecycle
from tests.cast import Cast, measured
from tests.scripted_smtp import ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)
ONCE = (
    *("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version"),
    *("Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Feedback-ID"),
)


@pytest.fixture
def raw(cast: Cast, smtp: ScriptedSmtp, settings: Settings) -> bytes:
    """Return the bytes the server accepted for Ada, who allowed both kinds of measuring."""
    settings.PUBLIC_URL = "https://m.heron.example.org"
    type(cast.ada).objects.filter(pk=cast.ada.pk).update(name="Ada Lövelace, “the first”")
    measured(type(cast.ada).objects.get(pk=cast.ada.pk))
    campaign = cast.campaign(subject="Grüße: {{ registrant.name }}")
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    worker.serve(lanes=("campaigns",), seconds=10)
    return smtp.messages["ada@example.net"][0]


@pytest.fixture
def parsed(raw: bytes) -> EmailMessage:
    """Return the mail as a strict, independent parser reads it."""
    message = email.message_from_bytes(raw, policy=email.policy.default.clone(raise_on_defect=True))
    assert isinstance(message, EmailMessage)
    return message


def test_every_header_stands_exactly_once(parsed: EmailMessage) -> None:
    """M-2, U-1, U-8, U-9."""
    assert {name: len(parsed.get_all(name, [])) for name in ONCE} == dict.fromkeys(ONCE, 1)


def test_one_click_is_one_short_https_link_never_encoded_or_folded(raw: bytes) -> None:
    """U-1 to U-6, AT-U5."""
    lines = [line for line in raw.split(b"\r\n") if line.lower().startswith(b"list-unsubscribe")]
    assert lines[1] == b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    header = re.fullmatch(rb"List-Unsubscribe: <(https://[!-;=?-~]+)>", lines[0])
    assert header
    assert len(header[1]) <= 75
    assert b"=?" not in lines[0]


def test_list_id_feedback_id_and_message_id_are_the_clients(
    parsed: EmailMessage, cast: Cast
) -> None:
    """U-9, U-11, M-3."""
    assert parsed["List-Id"].endswith("<new-books.heron.example.org>")
    assert len(parsed["List-Id"]) <= 255
    parts = parsed["Feedback-ID"].split(":")
    assert len(parts) <= 4
    assert 5 <= len(parts[-1]) <= 15
    assert len(set(parts)) == len(parts)
    assert "ada" not in parsed["Feedback-ID"]
    assert re.fullmatch(r"<[^@<>]+@heron\.example\.org>", parsed["Message-ID"])


def test_one_visible_recipient_and_one_sender(parsed: EmailMessage) -> None:
    """M-2, M-4."""
    assert [address.addr_spec for address in parsed["To"].addresses] == ["ada@example.net"]
    assert [address.addr_spec for address in parsed["From"].addresses] == ["post@heron.example.org"]
    assert parsed["Subject"] == "Grüße: Ada Lövelace, “the first”"
    assert "Cc" not in parsed
    assert "Bcc" not in parsed


def test_the_date_has_its_zone_as_a_number(raw: bytes) -> None:
    """RFC 5322 §4.3 forbids to generate GMT; -0000 would say that the place is unknown."""
    (date,) = re.findall(rb"^Date: (.*)\r$", raw, re.MULTILINE)
    assert re.fullmatch(rb"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", date)


def test_lines_are_short_and_end_in_crlf(raw: bytes) -> None:
    """M-1."""
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    body = raw.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, body)) <= 78
    assert raw.isascii()


def test_text_comes_first_html_last_and_both_carry_link_and_address(parsed: EmailMessage) -> None:
    """M-7, AT-M5, AT-L1."""
    assert parsed.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in parsed.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    for part in parsed.iter_parts():
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        content = part.get_content()
        assert "12 Mill Lane" in content
        assert "https://m.heron.example.org/p/" in content
        assert "Ada Lövelace" in content


def test_the_envelope_sender_names_the_delivery(smtp: ScriptedSmtp, raw: bytes) -> None:
    """M-9, B-1."""
    mail_from_lines = [line for line in smtp.log if "MAIL FROM" in line]
    assert re.search(r"MAIL FROM:<b\+[a-z2-7]{40}@heron\.example\.org>", mail_from_lines[0])


def test_only_measured_links_are_rewritten_and_the_footers_is_not(parsed: EmailMessage) -> None:
    """L-44, L-48."""
    html = parsed.get_body(("html",))
    text = parsed.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert "https://m.heron.example.org/l/" in html.get_content()
    assert "https://m.heron.example.org/i/" in html.get_content()
    assert "https://heron.example.org/new" in text.get_content()
    assert "/l/" not in text.get_content()
