"""A mail in each format goes the whole way: checks, preview, test, and the server's hands.

Mirrors several: newsletter/review, newsletter/content, newsletter/rendering, newsletter/delivery.
"""

import email
import email.policy
from email.message import EmailMessage

import pytest

from newsletter.delivery import staging, worker
from newsletter.mailings import lifecycle
from newsletter.models import Template
from newsletter.rendering.visible_text import plain, visible_content
from newsletter.review import checks, previewing, sending_tests
from tests.cast import Cast, make_staff
from tests.scripted_smtp import ScriptedSmtp

pytestmark = pytest.mark.django_db(transaction=True)
FOOT = (
    '<p>{{ client.postal_address }}</p><p>{{ footer_reason }}</p><a href="{{ unsubscribe_url }}">'
    "Leave</a>"
)
NOTE = "<!-- a note -->{% if registrant.name %}{% endif %}"
IMAGE = "https://heron.example.org/a.png"
MARKDOWN = f"Hello **there**\n\n![A heron ❤️]({IMAGE})"
HTML = f'{NOTE}<p>Hello <b>there</b></p><img src="{IMAGE}" alt="A heron ❤️">'
SECTION = "<mj-section><mj-column>SLOT</mj-column></mj-section>"
MJML = NOTE + SECTION.replace(
    "SLOT",
    f'<mj-text>Hello <b>there</b></mj-text><mj-image src="{IMAGE}" alt="A heron ❤️" />',
)
HTML_PAGE = "<!doctype html><html><body>SLOT" + FOOT + "</body></html>"
MJML_PAGE = (
    "<mjml><mj-body>SLOT"
    + SECTION.replace("SLOT", f"<mj-text>{FOOT}</mj-text>")
    + "</mj-body></mjml>"
)


@pytest.mark.parametrize(
    ("kind", "body_format", "body", "layout"),
    [
        ("campaign", "markdown", MARKDOWN, ""),
        ("campaign", "html", HTML, ""),
        ("campaign", "mjml", MJML, ""),
        ("notice", "markdown", MARKDOWN, ""),
        ("notice", "html", HTML, ""),
        ("notice", "mjml", MJML, ""),
        ("campaign", "html", HTML_PAGE.replace("SLOT", HTML), ""),
        ("campaign", "mjml", MJML_PAGE.replace("SLOT", MJML), ""),
        ("campaign", "html", HTML, MJML_PAGE.replace("SLOT", "{{ content }}")),
        (
            "campaign",
            "mjml",
            MJML,
            MJML_PAGE.replace("SLOT", "<mj-wrapper>{{ content }}</mj-wrapper>"),
        ),
    ],
)
def test_a_mail_goes_the_whole_way(
    cast: Cast, smtp: ScriptedSmtp, kind: str, body_format: str, body: str, layout: str
) -> None:
    """Issue 9, B1: no MJML mail could be sent at all."""
    template = None
    if layout:
        form = "mjml" if layout.startswith("<mjml") else "html"
        template = Template.objects.create(
            client=cast.client, name="own", format=form, source=layout
        )
    make = cast.campaign if kind == "campaign" else cast.notice
    mailing = make(body=body, body_format=body_format, template=template)
    assert checks.blocked(mailing) == []
    trial = previewing.trial(mailing, cast.ada)
    assert trial.faults == []
    staff = make_staff("mara", client=cast.client)
    sending_tests.send_test(mailing, asked_by=staff, to=[staff], registrant=cast.ada)
    lifecycle.send_now(mailing=mailing, staff=None)
    staging.stage(mailing.pk)
    worker.serve(lanes=("campaigns", "notices"), seconds=10)
    for address in ("ada@example.net", staff.email):
        html, text = parts_of(smtp.messages[address][0])
        shown = visible_content(html)
        assert "Hello there" in shown.text
        assert "Hello there" in plain(text)
        assert [image.alt for image in shown.images if image.address == IMAGE] == ["A heron ❤️"]
    assert "Hello there" in visible_content(trial.preview.html).text


def parts_of(data: bytes) -> tuple[str, str]:
    """Return HTML and text of a mail, as a strict parser reads them."""
    message = email.message_from_bytes(
        data, policy=email.policy.default.clone(raise_on_defect=True)
    )
    assert isinstance(message, EmailMessage)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None and text is not None
    return html.get_content(), text.get_content()
