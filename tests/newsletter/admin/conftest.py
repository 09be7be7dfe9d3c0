"""Somebody signed in."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from accountability.roles import Role
from tests.cast import PASSWORD, Cast, make_staff


@pytest.fixture
def marketer(cast: Cast) -> User:
    """Return a marketer of the cast's client."""
    return make_staff("mara", client=cast.client)


@pytest.fixture
def browser(marketer: User) -> Browser:
    """Return the marketer's browser."""
    browser = Browser()
    assert browser.login(username=marketer.username, password=PASSWORD)
    return browser


@pytest.fixture
def administrator(cast: Cast) -> Browser:
    """Return the browser of an administrator of the cast's client."""
    make_staff("adam", client=cast.client, role=Role.ADMINISTRATOR)
    browser = Browser()
    assert browser.login(username="adam", password=PASSWORD)
    return browser
