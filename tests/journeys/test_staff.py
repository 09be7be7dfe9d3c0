"""The staff pages in a browser: nothing axe finds wrong, no console error, walls that hold."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from local.demo_words import SIGN_INS
from tests.journeys.conftest import System
from tests.journeys.seeing import mail_to, sign_in, source_of, violations

MARKETER, ADMINISTRATOR, OWNER = (who[1:] for who in SIGN_INS)
LISTS = (
    "/admin/",
    "/admin/newsletter/campaign/",
    "/admin/newsletter/campaign/add/",
    "/admin/newsletter/notice/",
    "/admin/newsletter/sender/",
    "/admin/newsletter/template/",
    "/admin/newsletter/delivery/",
    "/admin/registrants/client/",
    "/admin/registrants/mailinglist/",
    "/admin/registrants/registrant/",
    "/admin/registrants/service/",
    "/admin/tracking/report/",
)


def first_of(page: Page, system: System, path: str, words: str = "") -> str:
    """Return the address of the first row of a list, or of the row that has the words."""
    page.goto(system.web + path)
    row = page.locator("main table tbody tr", has_text=words).first
    href = row.locator(f"a[href*='{path}']").first.get_attribute("href") or ""
    assert href, f"{path} leads to no “{words}”"
    return href.split("?")[0].removeprefix(system.web)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_axe_finds_nothing_on_the_staff_pages(
    browser: Browser, system: System, width: int, scheme: str
) -> None:
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    said: list[str] = []
    page.on(
        "console",
        lambda told: said.append(told.text) if told.type == "error" else None,
    )
    page.goto(f"{system.web}/admin/login/")
    found = {"/admin/login/": violations(page)}
    sign_in(page, system, *OWNER)
    draft = first_of(page, system, "/admin/newsletter/campaign/", "Maren Holt")
    sent = first_of(page, system, "/admin/newsletter/campaign/", "Five books")
    notice = first_of(page, system, "/admin/newsletter/notice/", "reading account")
    report = first_of(page, system, "/admin/tracking/report/", "Five books")
    person = first_of(page, system, "/admin/registrants/registrant/")
    sender = first_of(page, system, "/admin/newsletter/sender/")
    step = re.compile("change/$")
    more = (
        *(draft, step.sub("send/", draft), sent, step.sub("progress/", sent), notice),
        *(report, f"{report}deliveries/"),
        *(person, sender),
    )
    for path in (*LISTS, *more):
        answer = page.goto(system.web + path)
        assert answer is not None
        assert answer.status == 200, path
        page.wait_for_load_state("networkidle")
        found[path] = violations(page)
    context.close()
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert [words for words in said if "favicon" not in words and "404" not in words] == []


def test_a_marketer_cannot_reach_a_notice(page: Page, system: System) -> None:
    sign_in(page, system, *MARKETER)
    expect(page.get_by_role("link", name="Service notices")).to_have_count(0)
    for path in ("", "add/", "1/change/", "2/change/", "3/send/"):
        answer = page.goto(f"{system.web}/admin/newsletter/notice/{path}")
        assert answer is not None
        assert answer.status in (403, 404) or "/admin/newsletter/notice/" not in page.url


def test_a_notice_reaches_those_enrolled_without_measuring_or_unsubscribe(
    page: Page, browser: Browser, system: System
) -> None:
    sign_in(page, system, *ADMINISTRATOR)
    notice = first_of(page, system, "/admin/newsletter/notice/", "reading account")
    page.goto(system.web + notice.replace("change/", "send/"))
    button = page.get_by_role("button", name=re.compile(r"^Send to .* now$"))
    people = re.search(r"[\d,]+", button.inner_text())
    assert people
    button.click()
    page.wait_for_url(re.compile("/progress/"))
    expect(page.get_by_role("heading", name="It is sent")).to_be_visible(timeout=60_000)
    inbox = browser.new_context().new_page()
    number = mail_to(inbox, system, "example", "Your reading account moves", patience=30)
    raw = source_of(inbox, system, number).replace("=\r\n", "").replace("=\n", "")
    assert "List-Unsubscribe" not in raw
    assert "/i/" not in raw
    assert "/l/" not in raw
    assert "even if you unsubscribed" in raw
    inbox.context.close()
    page.reload()
    assert f"{people[0]}" in page.locator("main").inner_text()
