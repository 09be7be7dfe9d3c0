"""Each check passes on a sound mail and fails, with its reason, on the fault it is for."""

from typing import Any

import pytest
from django.utils.timezone import now

from newsletter.models import Mailing, Sender, Template
from newsletter.review import checks
from tests.cast import Cast, make_client, make_list, make_sender

pytestmark = pytest.mark.django_db
LAYOUT = (
    "<html><body>{{ content }}<p>12 Mill Lane, Bath</p>"
    '<a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>'
)


def check_named(mailing: Mailing, name: str) -> checks.Check:
    """Return one check by its name."""
    return {one.name: one for one in checks.check(mailing)}[name]


def test_a_sound_campaign_passes_every_blocking_check(cast: Cast) -> None:
    """Nothing stands in the way of an ordinary mail."""
    assert checks.blocked(cast.campaign(preheader="What is new")) == []


def test_a_sound_notice_passes_without_an_unsubscribe_link(cast: Cast) -> None:
    """A notice needs the reason line in both parts, and no way out of it."""
    notice = cast.notice()
    assert checks.blocked(notice) == []
    assert check_named(notice, "Why readers get it").passed
    assert "Unsubscribe link in the mail" not in {one.name for one in checks.check(notice)}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Body", {"body": " \n"}),
        ("Variables", {"body": "Hello {{ registrant.nmae }}"}),
        ("The mail can be read", {"body": "{% if registrant.name %}never closed"}),
        ("The mail can be read", {"body_format": "mjml", "body": "<mj-section><mj-text>x"}),
        (
            "Alternative text",
            {"body_format": "html", "body": '<img src="https://x.example.org/a.png">'},
        ),
        ("Footer before Gmail's clip", {"body": "A line of news.\n\n" * 9000}),
        ("Subject", {"subject": "{% if false %}x{% endif %}"}),
    ],
)
def test_a_fault_in_the_words_blocks(cast: Cast, name: str, fields: dict[str, Any]) -> None:
    """M-6, M-13, L-5: each with the reason to mend it by."""
    one = check_named(cast.campaign(**fields), name)
    assert not one.passed
    assert one.blocking
    assert one.reason


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Honest subject", {"subject": "Re: your order"}),
        ("Honest subject", {"subject": "FW: your order"}),
        ("Quiet subject", {"subject": "BUY MORE BOOKS NOW"}),
        ("Preheader", {"preheader": ""}),
        ("Size", {"body": "A line of news.\n\n" * 3500}),
        ("Links", {"body": "[x](https://x.example.org/?name={{ registrant.name }})"}),
    ],
)
def test_a_doubt_only_warns(cast: Cast, name: str, fields: dict[str, Any]) -> None:
    """M-15: what is a matter of taste or of counting never blocks."""
    one = check_named(cast.campaign(**fields), name)
    assert not one.passed
    assert not one.blocking


def test_a_client_without_postal_address_cannot_send(cast: Cast) -> None:
    """Bad input: a client without postal address."""
    cast.client.postal_address = ""
    cast.client.save()
    blocked = {one.name for one in checks.blocked(cast.campaign())}
    assert {"Client's postal address", "Postal address in the mail"} <= blocked


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("Unsubscribe link in the mail", '<a href="{{ unsubscribe_url }}">Unsubscribe</a>', ""),
        ("Unsubscribe link in the mail", "<a ", '<a style="display:none" '),
        ("Postal address in the mail", "<p>12 Mill Lane, Bath</p>", ""),
        ("Postal address in the mail", "<p>", '<p style="font-size:1px;visibility: hidden">'),
    ],
)
def test_a_layout_without_a_footer_to_be_seen_blocks(
    cast: Cast, name: str, before: str, after: str
) -> None:
    """After rendering, in both parts, where a reader can see it (L-5, AT-L1)."""
    layout = Template.objects.create(
        client=cast.client, name="x", format="html", source=LAYOUT.replace(before, after)
    )
    assert not check_named(cast.campaign(template=layout), name).passed
    layout.source = LAYOUT
    layout.save()
    assert check_named(cast.campaign(template=layout), name).passed


def test_a_list_with_nobody_on_it_blocks(cast: Cast) -> None:
    """Bad input: an empty list."""
    empty = make_list(cast.client, "Empty", "empty")
    assert not check_named(cast.campaign(mailing_list=empty), "Audience").passed


def test_a_sender_of_another_client_blocks(cast: Cast) -> None:
    """Clients are walls in the last look, too."""
    stranger = make_sender(make_client("Other", "other"))
    assert not check_named(cast.campaign(sender=stranger), "All of one client").passed


def test_a_client_on_hold_blocks_campaigns_and_no_notices(cast: Cast) -> None:
    """Design §5: acceptable use holds campaigns back."""
    from django.utils.timezone import now

    cast.client.on_hold_at = now()
    cast.client.save()
    assert not check_named(cast.campaign(), "Client in good standing").passed
    assert checks.blocked(cast.notice()) == []


def test_words_the_provider_would_take_for_its_own_stop_it(cast: Cast) -> None:
    """A-5, AT-A6: they would not arrive as they are written."""
    Sender.objects.filter(pk=cast.sender.pk).update(transport="provider", provider="brevo")
    cast.sender.refresh_from_db()
    fine, taken = cast.campaign(), cast.campaign(body="Save {% raw %}{{ params.x }}{% endraw %}")
    name = "Left alone by the provider"
    assert {one.passed for one in checks.check(fine) if one.name == name} == {True}
    (check,) = (one for one in checks.check(taken) if one.name == name)
    assert check.blocking and not check.passed
    assert "Brevo" in check.reason


def test_a_sender_that_is_stopped_sends_nothing_new(cast: Cast) -> None:
    Sender.objects.filter(pk=cast.sender.pk).update(stopped_at=now(), stopped_reason="535 no.")
    cast.sender.refresh_from_db()
    (check,) = (one for one in checks.check(cast.campaign()) if one.name == "Sender")
    assert check.blocking and not check.passed
    assert "535 no." in check.reason


@pytest.mark.parametrize("body_format", ["markdown", "html", "mjml"])
@pytest.mark.parametrize("kind", ["campaign", "notice"])
def test_a_sound_mail_passes_in_each_format(cast: Cast, kind: str, body_format: str) -> None:
    """B1: MJML's wrappers have a font size of 0, and hide nothing."""
    body = {
        "markdown": "Hello\n\n![A heron](https://heron.example.org/a.png)",
        "html": '<p>Hello</p><img src="https://heron.example.org/a.png" alt="A heron">',
        "mjml": "<mj-section><mj-column><mj-text>Hello</mj-text>"
        '<mj-image src="https://heron.example.org/a.png" alt="A heron" /></mj-column></mj-section>',
    }[body_format]
    make = cast.campaign if kind == "campaign" else cast.notice
    mailing = make(body=body, body_format=body_format)
    assert checks.blocked(mailing) == []
    assert check_named(mailing, "Alternative text").reason == "Every image has one."
