"""The staff pages in a browser: nothing axe finds wrong, no console error, walls that hold."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from local.demo_words import SIGN_INS
from tests.journeys.conftest import System
from tests.journeys.seeing import mail_to, sign_in, source_of, violations

pytestmark = [pytest.mark.xdist_group("system"), pytest.mark.timeout(240)]
MARKETER, ADMINISTRATOR, OWNER = (who[1:] for who in SIGN_INS)
LISTS = (
    "/admin/",
    "/admin/newsletter/campaign/",
    "/admin/newsletter/campaign/add/",
    "/admin/newsletter/notice/",
    "/admin/newsletter/notice/add/",
    "/admin/newsletter/sender/",
    "/admin/newsletter/sender/add/",
    "/admin/newsletter/template/",
    "/admin/newsletter/delivery/",
    "/admin/registrants/client/",
    "/admin/registrants/client/add/",
    "/admin/registrants/enrolment/",
    "/admin/registrants/mailinglist/",
    "/admin/registrants/mailinglist/add/",
    "/admin/registrants/registrant/",
    "/admin/registrants/service/",
    "/admin/tracking/report/",
)


def first_of(page: Page, system: System, path: str, title: str = "") -> str:
    """Return the address of the first row of a list, or of the row that has that title."""
    page.goto(system.web + path)
    row = page.locator("main table tbody tr", has_text=title).first
    href = row.locator(f"a[href*='{path}']").first.get_attribute("href") or ""
    assert href, f"{path} leads to no “{title}”"
    return href.split("?")[0].removeprefix(system.web)


WIDTHS = (1440, 390)
SETTLED = """() => document.fonts.ready.then(
    () => new Promise(done => requestIdleCallback(done, {timeout: 500})))"""
"""When fonts have come and scripts have nothing more to do: half a second sooner than the network
is called idle, on each of thirty pages."""


def faults(page: Page) -> list[str]:
    """Return what axe finds and what does not fit, at each width; the page is loaded once."""
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wrong += [f"{width}: {violation}" for violation in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"wider than {width}")
    return wrong


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_staff_pages(
    browser: Browser, system: System, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    errors: list[str] = []
    page.on(
        "console",
        lambda message: errors.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda fault: errors.append(str(fault)))
    page.goto(f"{system.web}/admin/login/")
    by_path = {"/admin/login/": faults(page)}
    sign_in(page, system, *OWNER)
    draft = first_of(page, system, "/admin/newsletter/campaign/", "Maren Holt")
    sent = first_of(page, system, "/admin/newsletter/campaign/", "Five books")
    notice = first_of(page, system, "/admin/newsletter/notice/", "reading account")
    report = first_of(page, system, "/admin/tracking/report/", "Five books")
    person = first_of(page, system, "/admin/registrants/registrant/")
    sender = first_of(page, system, "/admin/newsletter/sender/")
    client = first_of(page, system, "/admin/registrants/client/")
    evenings = first_of(page, system, "/admin/registrants/mailinglist/")
    step = re.compile("change/$")
    more = (
        *(draft, step.sub("send/", draft), sent, step.sub("progress/", sent)),
        *(notice, step.sub("send/", notice)),
        *(report, f"{report}deliveries/"),
        *(person, sender, client, evenings),
    )
    for path in (*LISTS, *more):
        answer = page.goto(system.web + path)
        assert answer is not None
        assert answer.status == 200, path
        page.evaluate(SETTLED)
        by_path[path] = faults(page)
    context.close()
    assert {path: wrong for path, wrong in by_path.items() if wrong} == {}
    assert errors == []


def test_a_marketer_cannot_reach_a_notice(page: Page, system: System) -> None:
    sign_in(page, system, *MARKETER)
    expect(page.get_by_role("link", name="Service notices")).to_have_count(0)
    for path in ("", "add/", "1/change/", "2/change/", "3/send/"):
        answer = page.goto(f"{system.web}/admin/newsletter/notice/{path}")
        assert answer is not None
        assert answer.status in (403, 404) or "/admin/newsletter/notice/" not in page.url


def caught(page: Page, system: System) -> int:
    """Return how many mails the inbox caught in all, once no more are coming."""
    count, before = -1, -2
    while count != before:
        page.goto(system.inbox)
        page.wait_for_timeout(1_000)
        match = re.search(r"([\d,]+) caught so far", page.content())
        count, before = int(match[1].replace(",", "")) if match else 0, count
    return count


def test_a_sent_campaign_offers_its_report_and_nothing_to_save(page: Page, system: System) -> None:
    sign_in(page, system, *MARKETER)
    page.goto(system.web + first_of(page, system, "/admin/newsletter/campaign/", "Five books"))
    expect(page.get_by_role("button", name=re.compile("Save"))).to_have_count(0)
    expect(page.get_by_text("would get it")).to_have_count(0)
    page.get_by_role("link", name="Read the report").click()
    expect(page.get_by_role("heading", name="Five books for long evenings")).to_be_visible()


def test_a_notice_reaches_those_enrolled_without_measuring_or_unsubscribe(
    page: Page, browser: Browser, system: System
) -> None:
    sign_in(page, system, *ADMINISTRATOR)
    notice = first_of(page, system, "/admin/newsletter/notice/", "reading account")
    inbox = browser.new_context().new_page()
    before = caught(inbox, system)
    page.goto(system.web + notice.replace("change/", "send/"))
    button = page.get_by_role("button", name=re.compile(r"^Send to .* now$"))
    people = re.search(r"[\d,]+", button.inner_text())
    assert people
    button.click()
    page.wait_for_url(re.compile("/progress/"))
    expect(page.get_by_role("heading", name="It is sent")).to_be_visible(timeout=60_000)
    staged = int(people[0].replace(",", ""))
    assert caught(inbox, system) - before == staged
    number = mail_to(inbox, system, "example", "Your reading account moves", patience=30)
    raw = source_of(inbox, system, number).replace("=\r\n", "").replace("=\n", "")
    assert "List-Unsubscribe" not in raw
    assert "/i/" not in raw
    assert "/l/" not in raw
    assert "even if you unsubscribed" in raw
    inbox.context.close()
    page.reload()
    assert f"100 % of {staged:,}" in page.locator("main").inner_text()
