"""A visitor's browser, the form as it is shown, and what a letter would carry."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from registrants.models import MailingList
from tests.cast import Cast

FIELD = re.compile(r'name="shown" value="([^"]+)"')
Sign = Callable[..., Any]


@pytest.fixture
def browser() -> Browser:
    """Return a browser that would be refused where a page wanted a CSRF token."""
    return Browser(enforce_csrf_checks=True)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody be too fast."""
    monkeypatch.setattr("newsletter.views.stamp.FASTEST", 0.0)


@pytest.fixture
def sign(browser: Browser, cast: Cast, patient: None) -> Sign:
    """Return a way to fill the form in as a person does: look at it, type, press the button."""

    def fill(address: str, *lists: MailingList, ip: str = "192.0.2.1", **more: str) -> Any:
        page = f"/s/{cast.client.slug}/"
        shown = FIELD.search(browser.get(page).content.decode())
        assert shown
        typed = {
            "address": address,
            "list": [str(mailing_list.pk) for mailing_list in lists or (cast.mailing_list,)],
            "shown": shown[1],
        }
        return browser.post(page, typed | more, REMOTE_ADDR=ip)

    return fill
