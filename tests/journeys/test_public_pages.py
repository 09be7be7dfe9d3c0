"""Every page a reader can see, in a real browser: axe finds nothing, nothing is cut off.

In English, and some of them and the mails in the pseudo-language (longer, from right to left).
"""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, Route, sync_playwright
from pytest_django import Settings

from newsletter.models import Delivery
from tests.cast import Cast, make_cast
from tests.journeys.conftest import CALM, ROOT
from tests.journeys.seeing import violations
from tests.mail_as_read import html_of, letter_as_read, mailing_as_read
from tests.public_pages import PSEUDO, every_page

pytestmark = pytest.mark.timeout(240)
Looks = tuple[tuple[int, Literal["light", "dark"]], ...]
LOOKS: Looks = ((320, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))
FOREIGN_LOOKS: Looks = ((360, "light"), (1280, "dark"))
FOREIGN = ("sign-up-faults", "choices", "preferences", "unsubscribe", "confirm", "not-found")
SHOTS = os.environ.get("HEED_SHOTS", "")
"""A folder to keep pictures in, for looking at them."""

ON_THE_LEFT = """[...document.querySelectorAll('p, h1, h2, li, td, div, label')]
    .filter(e => [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
    .filter(e => getComputedStyle(e).textAlign == 'left')
    .map(e => e.innerText.slice(0, 40))"""


@pytest.fixture
def pages(cast: Cast) -> dict[str, str]:
    """Return every public page by name."""
    return every_page(cast)


@pytest.fixture
def foreign_pages(db: None, settings: Settings) -> dict[str, str]:
    """Return some pages, and the mails, of a client that speaks the pseudo-language."""
    cast = make_cast(PSEUDO)
    settings.LANGUAGE_CODE = PSEUDO
    pages = {f"foreign-{name}": page for name, page in every_page(cast).items() if name in FOREIGN}
    delivery = Delivery.objects.filter(letter=Delivery.Letter.CHOICES).latest("pk")
    body = "# A heading\n\nOnly the client wrote this.\n\n- one\n- two\n"
    mjml = f"<mj-section><mj-column><mj-text>{body}</mj-text></mj-column></mj-section>"
    campaign = cast.campaign(body=mjml, body_format="mjml")
    pages["mail-letter"] = html_of(letter_as_read(delivery))
    pages["mail-markdown"] = html_of(mailing_as_read(cast.campaign(body=body)))
    pages["mail-mjml"] = html_of(mailing_as_read(campaign))
    pages["mail-notice"] = html_of(mailing_as_read(cast.notice(body=body)))
    return pages


def _serve(pages: dict[str, str], route: Route) -> None:
    name = route.request.url.rsplit("/", 1)[-1]
    if name in pages:
        route.fulfill(body=pages[name], content_type="text/html; charset=utf-8")
    else:
        route.fulfill(path=ROOT / "static" / name)


def _faults(page: Page, name: str) -> list[str]:
    page.goto(f"http://heed.test/{name}")
    is_mail = name.startswith("mail-")
    faults = [] if is_mail else [f"{name}: {violation}" for violation in violations(page)]
    width = page.viewport_size["width"] if page.viewport_size else 0
    if page.evaluate("document.documentElement.scrollWidth") > width:
        faults.append(f"{name}: wider than {width}")
    if name.startswith(("foreign-", "mail-")) and page.evaluate(ON_THE_LEFT):
        faults.append(f"{name}: begins on the left: {page.evaluate(ON_THE_LEFT)}")
    small = "[...document.querySelectorAll('button')].filter(b => b.offsetHeight < 44).length"
    if page.evaluate(small):
        faults.append(f"{name}: a button is too small for a finger")
    return faults


def _look(
    pages: dict[str, str],
    chromium: str,
    looks: Looks = LOOKS,
) -> list[str]:
    faults: list[str] = []
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CALM, *root])
        for width, scheme in looks:
            page = browser.new_page(
                color_scheme=scheme,
                viewport={"width": width, "height": 900},
            )
            page.route("**/*", lambda route: _serve(pages, route))
            for name in pages:
                faults += [f"{scheme} {width} {fault}" for fault in _faults(page, name)]
                if SHOTS:
                    file = Path(SHOTS) / f"{name}-{width}-{scheme}.png"
                    page.screenshot(path=file, full_page=True)
            page.close()
        browser.close()
    return faults


def _look_in_a_thread(pages: dict[str, str], looks: Looks) -> list[str]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("this needs a browser: apt-get install chromium")
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_look, pages, chromium, looks).result()


def test_every_public_page_passes_axe_and_fits(pages: dict[str, str]) -> None:
    """On a phone and a desktop, light and dark; the browser lives in a thread of its own."""
    assert _look_in_a_thread(pages, LOOKS) == []


def test_longer_words_from_right_to_left_fit_too(foreign_pages: dict[str, str]) -> None:
    """The pseudo-language, pages and mails; what begins a line begins it on the right."""
    assert all('dir="rtl"' in page for page in foreign_pages.values())
    assert _look_in_a_thread(foreign_pages, FOREIGN_LOOKS) == []
