"""What several journeys do: read the inbox, sign in, look for what axe finds."""

import re
import time
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.journeys.conftest import System


def mail_to(page: Page, system: System, address: str, subject: str, patience: float = 15) -> str:
    """Wait for a mail in the inbox page and open it; return its number."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        page.goto(f"{system.inbox}/?to={address}")
        mails = page.locator("ol.mails a", has_text=subject)
        if mails.count():
            href = mails.first.get_attribute("href") or ""
            mails.first.click()
            return href.rsplit("/", 1)[-1]
        time.sleep(0.2)
    raise AssertionError(f"no mail “{subject}” to {address} in {patience} s")


def source_of(page: Page, system: System, number: str) -> str:
    """Return the raw source of a mail in the inbox."""
    return page.request.get(f"{system.inbox}/mail/{number}/source").text()


def sign_in(page: Page, system: System, name: str, password: str) -> None:
    """Sign in to the staff pages."""
    page.goto(f"{system.web}/admin/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.click("button[type=submit], input[type=submit]")
    page.wait_for_url(re.compile(r"/admin/$"))


RUN_AXE = "axe.run({resultTypes: ['violations']}).then(results => results.violations)"
"""Alone what is wrong comes back: all that is right would be half a megabyte for each page."""


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong on a page, in words; it is put into each page once."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    wrong: list[dict[str, Any]] = page.evaluate(RUN_AXE)
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']} — {node['html'][:160]}"
        for violation in wrong
        for node in violation["nodes"]
    ]
