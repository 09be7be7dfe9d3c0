"""The inbox page in a real browser."""

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from random import randrange
from smtplib import SMTP

import pytest
from playwright.sync_api import Browser, Page, expect

from local.catcher import Catcher
from local.ports import hold_port
from tests.journeys.seeing import violations

BODY = (
    '<html lang="en"><head><title>News</title></head><body><main><h1>News</h1>'
    '<a href="{there}">A link</a><script>document.title = "run"</script></main></body></html>'
)


@pytest.fixture
def caught(tmp_path: Path) -> Iterator[Catcher]:
    """Return a running catcher."""
    port = hold_port(randrange(19_000, 30_000)).release()
    with Catcher(tmp_path, smtp_port=port, web_port=hold_port(port + 1).release()) as running:
        yield running


def address(caught: Catcher) -> str:
    return f"http://127.0.0.1:{caught.pages.server_port}"


def send(caught: Catcher, subject: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "h@example.org", "a@example.org", subject
    message["List-Unsubscribe"] = f"<{address(caught)}/u/x>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Hello, see https://example.org/x\n")
    message.add_alternative(BODY.format(there=address(caught)), subtype="html")
    with SMTP("127.0.0.1", caught.smtp.port) as line:
        line.send_message(message)


def test_new_mails_come_in_by_themselves(page: Page, caught: Catcher) -> None:
    page.goto(address(caught))
    expect(page.get_by_text("No mail yet")).to_be_visible()
    send(caught, "It has come")
    expect(page.get_by_role("link", name="It has come")).to_be_visible(timeout=6_000)


def test_a_link_in_a_mail_opens_in_a_tab_of_its_own_and_nothing_runs(
    page: Page, caught: Catcher
) -> None:
    send(caught, "News")
    page.goto(f"{address(caught)}/mail/1")
    frame = page.frame_locator("iframe")
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="A link").click()
    expect(opened.value.get_by_role("heading", name="Inbox")).to_be_visible()
    assert page.frames[1].title() == "News"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nobody_is_kept_out(browser: Browser, caught: Catcher, scheme: str, width: int) -> None:
    faults: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.on("console", lambda message: faults.append(message.text))
    page.goto(address(caught))
    wrong = violations(page)
    send(caught, "A rather long subject " * 6)
    for path in ("/", "/?to=nobody", "/mail/1"):
        page.goto(address(caught) + path)
        wrong += violations(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
    assert wrong == []
    assert [fault for fault in faults if "Content Security Policy" in fault] == []
