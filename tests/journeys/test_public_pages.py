"""Every page a reader can see, in a real browser: axe finds nothing, nothing is cut off."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client as Reader
from playwright.sync_api import Page, Route, sync_playwright

from newsletter import letters, links
from newsletter.models import Delivery
from registrants.models import ConsentEvent
from tests.cast import Cast, make_client, make_list, make_sender
from tests.journeys.conftest import CALM, ROOT
from tests.journeys.seeing import violations

LOOKS = ((320, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))
SHOTS = os.environ.get("HEED_SHOTS", "")
"""A folder to keep pictures in, for looking at them."""


@pytest.fixture
def pages(cast: Cast) -> dict[str, str]:
    """Return every public page by name, as its view answers."""
    other = make_client("A client with a very-long-name-that-has-no-place-to-break", "other")
    make_sender(other)
    make_list(cast.client, "Evenings", "evenings")
    reader = Reader(headers={"accept": "text/html"})
    ask = ConsentEvent.objects.get(registrant=cast.ben)
    letter = letters.owe(registrant=cast.ada, letter=Delivery.Letter.CHOICES, asked_by=1)
    over = Delivery.objects.create(registrant=cast.ada, letter="choices", asked_by=2)
    Delivery.objects.filter(pk=over.pk).update(created_at="2026-01-01T00:00:00Z")
    assert letter is not None
    yes, no = links.confirm("", ask.pk), links.never("", ask.pk)
    mine, old = links.choices("", letter.pk), links.choices("", over.pk)
    subscription = cast.ada.subscriptions.get().pk
    leave, more = links.one_click("", subscription, 0), links.preferences("", subscription, 0)
    typed = {"address": "a@@b", "name": "x" * 150, "opens": "yes"}
    answers: dict[str, Callable[[], Any]] = {
        "sign-up": lambda: reader.get("/s/heron/"),
        "sign-up-faults": lambda: reader.post("/s/heron/", typed),
        "sign-up-nothing": lambda: reader.get("/s/other/"),
        "confirm": lambda: reader.get(yes),
        "confirmed": lambda: reader.post(yes),
        "not-me": lambda: reader.get(no),
        "not-me-done": lambda: reader.post(no),
        "ask-is-over": lambda: reader.get(yes),
        "choices": lambda: reader.get(mine),
        "choices-saved": lambda: reader.post(mine, {"act": "grant:opens"}),
        "choices-fault": lambda: reader.post(mine, {"act": "name", "name": "www.x.example"}),
        "link-is-over": lambda: reader.get(old),
        "link-is-mailed": lambda: reader.post(old),
        "unsubscribe": lambda: reader.get(leave),
        "preferences": lambda: reader.get(more),
        "unsubscribed": lambda: reader.post(leave),
        "preferences-after": lambda: reader.get(more),
        "unknown": lambda: reader.get("/y/unknown"),
        "not-found": lambda: reader.get("/nowhere/"),
    }
    shown = {name: answer().content.decode() for name, answer in answers.items()}
    shown["asked"] = render_to_string("public/asked.html", {"client": cast.client})
    for code in ("400", "500"):
        shown[code] = render_to_string(f"{code}.html")
    return shown


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
