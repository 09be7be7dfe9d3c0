"""Every page a reader can see, in a real browser: axe finds nothing, nothing is cut off."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, sync_playwright

from tests.cast import Cast
from tests.journeys.conftest import CALM, ROOT
from tests.journeys.seeing import violations
from tests.public_pages import every_page

LOOKS = ((320, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))
SHOTS = os.environ.get("HEED_SHOTS", "")
"""A folder to keep pictures in, for looking at them."""


@pytest.fixture
def pages(cast: Cast) -> dict[str, str]:
    """Return every public page by name."""
    return every_page(cast)


def _serve(pages: dict[str, str], route: Route) -> None:
    name = route.request.url.rsplit("/", 1)[-1]
    if name in pages:
        route.fulfill(body=pages[name], content_type="text/html; charset=utf-8")
    else:
        route.fulfill(path=ROOT / "static" / name)


def _faults(page: Page, name: str) -> list[str]:
    page.goto(f"http://heed.test/{name}")
    faults = [f"{name}: {violation}" for violation in violations(page)]
    width = page.viewport_size["width"] if page.viewport_size else 0
    if page.evaluate("document.documentElement.scrollWidth") > width:
        faults.append(f"{name}: wider than {width}")
    small = "[...document.querySelectorAll('button')].filter(b => b.offsetHeight < 44).length"
    if page.evaluate(small):
        faults.append(f"{name}: a button is too small for a finger")
    return faults


def _look(pages: dict[str, str], chromium: str) -> list[str]:
    faults: list[str] = []
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CALM, *root])
        for width, scheme in LOOKS:
            page = browser.new_page(
                color_scheme=scheme,  # type: ignore[arg-type]
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


def test_every_public_page_passes_axe_and_fits(pages: dict[str, str]) -> None:
    """On a phone and a desktop, light and dark; the browser lives in a thread of its own."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("this needs a browser: apt-get install chromium")
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(_look, pages, chromium).result() == []
