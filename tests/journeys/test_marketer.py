"""The line, end to end: a newsletter is composed, goes out to a reader, and comes back."""

import re
import time

import pytest
from playwright.sync_api import Browser, Page, expect

from local.demo_words import SIGN_INS
from tests.journeys.conftest import System
from tests.journeys.seeing import mail_to, sign_in, source_of
from tests.journeys.test_reader import confirm, sign_up

pytestmark = pytest.mark.xdist_group("system")
READER = "nora@example.net"
MARKETER = SIGN_INS[0][1:]


def a_reader_who_may_be_measured(browser: Browser, system: System) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{system.web}/s/heron/")
    page.get_by_label("E-mail address").fill(READER)
    page.get_by_label("Name", exact=True).fill("Nora <b>&")
    for box in ("New books", "open its mails", "links I follow"):
        page.locator("label.choice", has_text=box).first.locator("input").check()
    time.sleep(2.1)
    page.get_by_role("button", name="Sign up").click()
    confirm(page, system, READER)
    page.context.close()


def unfolded(raw: str) -> str:
    return raw.replace("\r\n", "\n").replace("=\n", "").replace("=3D", "=")


def compose(page: Page, system: System, subject: str) -> str:
    """Write a campaign and return the address of its page."""
    page.goto(f"{system.web}/admin/newsletter/campaign/add/")
    for field, label in (
        ("client", "Heron Books"),
        ("mailing_list", "New books"),
        ("sender", "Heron Books"),
    ):
        select = page.locator(f"select[name={field}]")
        if select.count():
            value = select.locator("option", has_text=label).first.get_attribute("value")
            select.select_option(value)
        if field == "client":  # the form comes back with what this client has to choose from
            page.wait_for_url(re.compile(r"client="))
    page.fill("[name=subject]", subject)
    page.locator("button[name=_save]").first.click()
    page.wait_for_url(re.compile(r"/campaign/\d+/change/"))
    where = page.url.split("?")[0]
    page.fill(
        "[name=body]",
        "Hello {{ registrant.name | default: 'there' }},\n\n"
        "[The new shelf](https://heron.example.org/shelf) is full.",
    )
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    page.get_by_role("button", name="Save and go on to sending").click()
    page.wait_for_url(re.compile(r"/campaign/\d+/send/"))
    return where


def test_a_newsletter_goes_out_and_comes_back(browser: Browser, page: Page, system: System) -> None:
    a_reader_who_may_be_measured(browser, system)
    sign_in(page, system, *MARKETER)
    where = compose(page, system, "The new shelf")
    page.get_by_role("button", name=re.compile(r"^Send to .* now$")).click()
    page.wait_for_url(re.compile("/progress/"))
    expect(page.get_by_role("heading", name="It is sent")).to_be_visible(timeout=60_000)

    reader = browser.new_context()
    inbox = reader.new_page()
    number = mail_to(inbox, system, READER, "The new shelf", patience=30)
    raw = unfolded(source_of(inbox, system, number))
    assert "Hello Nora" in raw
    assert "<b>&" not in raw.partition("Content-Type: text/html")[2]

    pixel = re.search(rf"{system.web}/i/[\w-]{{34}}", raw)
    link = re.search(rf"{system.web}/l/[\w-]{{34}}", raw)
    one_click = re.search(rf"^List-Unsubscribe: <({system.web}/u/[\w-]{{34}})>$", raw, re.M)
    assert pixel
    assert link
    assert one_click
    assert inbox.request.get(pixel[0]).status == 200
    led = inbox.request.get(link[0], max_redirects=0)
    assert led.headers["location"] == "https://heron.example.org/shelf"
    left = inbox.request.post(one_click[1], data="List-Unsubscribe=One-Click", max_redirects=0)
    assert left.status == 200
    reader.close()

    mailing = re.search(r"/campaign/(\d+)/", where)
    assert mailing
    seen_in_report(page, system, mailing[1])


def seen_in_report(page: Page, system: System, mailing: str, patience: float = 15) -> None:
    """Open the report as its link on the progress page leads, until the events are in."""
    deadline = time.monotonic() + patience
    report = ""
    while time.monotonic() < deadline:
        page.goto(f"{system.web}/admin/newsletter/campaign/{mailing}/progress/")
        page.get_by_role("link", name="Read the report").first.click()
        report = page.locator("main").inner_text()
        if re.search(r"unsubscribed\s+1\b", report, re.I) and "heron.example.org/shelf" in report:
            return
        time.sleep(0.5)
    raise AssertionError(f"the report does not tell of the reader:\n{report}")


def test_a_second_reader_signs_up_and_hears_of_it(page: Page, system: System) -> None:
    sign_up(page, system, "olaf@example.net", "News of the house")
    confirm(page, system, "olaf@example.net")
