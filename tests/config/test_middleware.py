"""Whatever host a reader's link is asked under, it answers; the staff pages do not."""

import pytest
from django.test import Client as Browser

from newsletter import links
from registrants.models import ConsentEvent
from tests import mail_links
from tests.cast import Cast

HOSTS = ("old.example.org", "a_b.example", "", "bad host", "*", "[::1]:8", "a.example:99999")


@pytest.mark.parametrize("host", HOSTS)
def test_a_link_answers_under_every_host(cast: Cast, host: str) -> None:
    """U-20, U-28: a malformed Host header too."""
    browser = Browser(enforce_csrf_checks=True)
    ask = ConsentEvent.objects.get(registrant=cast.ben)
    ada = cast.ada.subscriptions.get()
    for page in (
        "/s/heron/",
        links.confirm("", ask.pk),
        links.never("", ask.pk),
        mail_links.one_click("", ada.pk, 0),
        mail_links.preferences("", ada.pk, 0),
    ):
        assert browser.get(page, HTTP_HOST=host).status_code == 200
    one_click = mail_links.one_click("", ada.pk, 0)
    assert browser.post(one_click, HTTP_HOST=host).status_code == 200
    assert cast.ada.subscriptions.get().state == "ended"


@pytest.mark.parametrize("host", ["old.example.org", "a_b.example", "bad host"])
def test_the_staff_pages_answer_under_their_own_hosts_alone(db: None, host: str) -> None:
    assert Browser().get("/admin/login/", HTTP_HOST=host).status_code == 404
