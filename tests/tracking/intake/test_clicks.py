"""A link: it leads to the stored address and nowhere else, with or without the database."""

from typing import Any

import pytest
from django.db import OperationalError, connection

from newsletter.models import Delivery, Link
from registrants import tokens
from registrants.tokens import Scope
from tests import mail_links
from tests.cast import Cast
from tests.tracking.conftest import call
from tracking.intake import hits, link_targets


def gone(execute: Any, *arguments: Any) -> None:
    """Be a database that is away."""
    raise OperationalError("the connection is lost")


def test_a_link_leads_to_its_stored_address_and_is_noted(
    delivery: Delivery, link: Link, buffer: hits.Buffer
) -> None:
    """S-2."""
    answer = call(mail_links.click("", delivery.pk, link.pk))
    assert answer.status == "302 Found"
    assert answer.headers["Location"] == "https://heron.example.org/new"
    [hit] = hits.unpack(b"".join(buffer.waiting))
    assert (hit.kind, hit.delivery, hit.link) == (hits.CLICKED, delivery.pk, link.pk)


def test_a_head_request_leads_on_and_is_not_noted(
    delivery: Delivery, link: Link, buffer: hits.Buffer
) -> None:
    """O-5: scanners ask with HEAD."""
    answer = call(mail_links.click("", delivery.pk, link.pk), "HEAD")
    assert (answer.status, answer.body) == ("302 Found", b"")
    assert not buffer.waiting


@pytest.mark.parametrize(
    "token",
    ["", "x" * 34, "//evil.example", "https:evil", "https://evil.example", "a\r\nSet-Cookie: x=1"],
)
def test_a_token_that_is_not_ours_leads_nowhere(token: str, buffer: hits.Buffer) -> None:
    """AT-S2."""
    answer = call(f"/l/{token}")
    assert answer.status == "404 Not Found"
    assert "Location" not in answer.headers
    assert b"<h1>" in answer.body
    assert not buffer.waiting


def test_a_token_of_another_act_leads_nowhere(
    delivery: Delivery, link: Link, buffer: hits.Buffer
) -> None:
    """S-1."""
    for scope in set(Scope) - {Scope.CLICK}:
        token = tokens.make(scope, delivery.pk, link.pk)
        assert call(f"/l/{token}").status == "404 Not Found"


def test_an_unknown_link_is_asked_for_once_and_leads_nowhere(
    delivery: Delivery, buffer: hits.Buffer, django_assert_num_queries: Any
) -> None:
    """AT-S2."""
    with django_assert_num_queries(1):
        for _ in range(3):
            assert call(mail_links.click("", delivery.pk, 9999)).status == "404 Not Found"
    assert not buffer.waiting


@pytest.mark.parametrize(
    "url",
    [
        "//evil.example/",
        "javascript:alert(1)",
        "mailto:ada@example.net",
        "http://[broken",
        "https://",
        "https://a b.example/",
    ],
)
def test_an_address_unfit_for_a_reader_leads_nowhere(
    cast: Cast, url: str, buffer: hits.Buffer
) -> None:
    """AT-S2, S-2: whatever got into the database."""
    odd = Link.objects.create(mailing=cast.campaign(), position=0, url=url)
    answer = call(mail_links.click("", 1, odd.pk))
    assert answer.status == "404 Not Found"
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https:///path", "https://path/"),
        ("https://x.example/a\\b", "https://x.example/a/b"),
        ("https://x.example/a b", "https://x.example/a%20b"),
        (" https://x.example/", "https://x.example/"),
        ("https://x.example\\@evil.example/", "https://x.example/@evil.example/"),
        ("https://x.example/\r\nSet-Cookie: a=b", "https://x.example/Set-Cookie:%20a=b"),
        ("HTTPS://MÜLLER.example", "https://xn--mller-kva.example/"),
    ],
)
def test_a_link_leads_where_a_browser_would_have_gone(
    cast: Cast, url: str, location: str, buffer: hits.Buffer
) -> None:
    """B2: the door takes what composing takes, by the same rule."""
    odd = Link.objects.create(mailing=cast.campaign(), position=0, url=url)
    assert call(mail_links.click("", 1, odd.pk)).headers["Location"] == location


def test_an_address_in_any_script_becomes_one_a_header_can_carry(
    cast: Cast, buffer: hits.Buffer
) -> None:
    url = "https://example.org/кни́ги?q=ä&x=%20y#ж"
    odd = Link.objects.create(mailing=cast.campaign(), position=0, url=url)
    location = call(mail_links.click("", 1, odd.pk)).headers["Location"]
    assert location.isascii()
    assert location.startswith("https://example.org/%D0%BA")
    assert "x=%20y" in location


def test_one_query_loads_all_links_of_a_mailing(
    cast: Cast, buffer: hits.Buffer, django_assert_num_queries: Any
) -> None:
    campaign = cast.campaign()
    made = [
        Link.objects.create(
            mailing=campaign, position=position, url=f"https://example.org/{position}"
        )
        for position in range(15)
    ]
    with django_assert_num_queries(1):
        for link in made:
            assert call(mail_links.click("", 1, link.pk)).status == "302 Found"


def test_without_the_database_known_links_lead_on_and_others_are_asked_to_wait(
    delivery: Delivery, link: Link, buffer: hits.Buffer
) -> None:
    known, other = (mail_links.click("", delivery.pk, number) for number in (link.pk, 9999))
    assert call(known).status == "302 Found"
    with connection.execute_wrapper(gone):
        assert call(known).status == "302 Found"
        answer = call(other)
    assert answer.status == "503 Service Unavailable"
    assert answer.headers["Retry-After"] == "5"


def test_a_lost_database_is_not_asked_again_at_once(
    delivery: Delivery, link: Link, buffer: hits.Buffer, django_assert_num_queries: Any
) -> None:
    """Threads that wait for a lost database would answer no pixel meanwhile."""
    with connection.execute_wrapper(gone):
        assert call(mail_links.click("", delivery.pk, link.pk)).status.startswith("503")
    with django_assert_num_queries(0):
        assert call(mail_links.click("", delivery.pk, link.pk)).status.startswith("503")
    link_targets.MAP.clear()
    assert call(mail_links.click("", delivery.pk, link.pk)).status == "302 Found"


def test_the_map_is_bounded_and_leaves_out_the_oldest(cast: Cast) -> None:
    campaigns = [cast.campaign() for _ in range(3)]
    small = link_targets.Targets(kept=2)
    for campaign in campaigns:
        made = Link.objects.create(mailing=campaign, position=0, url="https://example.org/")
        assert small.target(made.pk) == "https://example.org/"
    assert len(small._known) == 2
