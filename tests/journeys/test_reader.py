"""A reader's journey: sign up, confirm, choose, leave; in a real browser, without JavaScript."""

import re
import time
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import System
from tests.journeys.seeing import mail_to, source_of, violations

pytestmark = pytest.mark.xdist_group("system")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page without JavaScript: no public page needs it."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def sign_up(page: Page, system: System, address: str, *lists: str) -> None:
    page.goto(f"{system.web}/s/heron/")
    page.get_by_label("E-mail address").fill(address)
    for name in lists:
        page.locator("label.choice", has_text=name).first.locator("input").check()
    time.sleep(2.1)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Look into your inbox")).to_be_visible()


def confirm(page: Page, system: System, address: str) -> None:
    began = time.monotonic()
    number = mail_to(page, system, address, "Please confirm")
    assert time.monotonic() - began < 20
    link = re.search(
        rf"{system.web}/y/\S{{34}}", source_of(page, system, number).replace("=\n", "")
    )
    assert link
    page.goto(link[0])
    expect(page.get_by_text("Nothing has happened yet")).to_be_visible()
    page.get_by_role("button", name="Yes, sign me up").click()
    expect(page.get_by_role("heading", name="You are signed up")).to_be_visible()


def test_somebody_signs_up_confirms_and_changes_their_mind(page: Page, system: System) -> None:
    address = "vera@example.net"
    sign_up(page, system, address, "New books", "Evenings")
    assert not page.context.cookies()
    confirm(page, system, address)
    assert not page.context.cookies()


def test_a_bad_address_is_named_and_what_was_typed_is_kept(page: Page, system: System) -> None:
    page.goto(f"{system.web}/s/heron/")
    page.get_by_label("E-mail address").fill("vera@@example")
    page.get_by_label("Name", exact=True).fill("Vera")
    page.locator("label.choice", has_text="New books").first.locator("input").check()
    time.sleep(2.1)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("not an e-mail address")).to_be_visible()
    assert page.get_by_label("E-mail address").input_value() == "vera@@example"
    assert page.get_by_label("Name", exact=True).input_value() == "Vera"
    assert page.locator("input[name=list]:checked").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_public_pages_pass_axe(
    browser: Browser, system: System, scheme: Literal["light", "dark"], width: int
) -> None:
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        bypass_csp=True,
    )
    page = context.new_page()
    for path in ("/s/heron/", "/u/unknown", "/nowhere/"):
        page.goto(system.web + path)
        assert violations(page) == []
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
    page.goto(system.inbox)
    assert violations(page) == []
    context.close()
