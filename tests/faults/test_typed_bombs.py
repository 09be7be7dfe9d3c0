"""Staff type what once stopped the web process: readers are answered all the same (A1)."""

import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser

from newsletter.models import Campaign
from registrants.models import Subscription
from tests import mail_links
from tests.cast import PASSWORD, Cast, make_staff
from tests.faults.conftest import add_readers
from tests.faults.patience import TIME_LIMIT, lasting
from tests.faults.table import Note
from tests.faults.workers import Line
from tests.newsletter.admin.test_writing import address, typed
from tests.newsletter.sandbox.test_jobs import BOMBS

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

TOKEN = "a" * 32
ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def ask(port: int, path: str, body: str, headers: dict[str, str]) -> tuple[int, float, str]:
    """Post something; return the status, the seconds it took, and the answer."""
    web = HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.monotonic()
    web.request("POST", path, body, {**FORM, **headers})
    answer = web.getresponse()
    text = answer.read().decode()
    web.close()
    return answer.status, time.monotonic() - began, text


def typing(port: int, name: str, campaign: Campaign) -> Callable[[dict[str, str]], int]:
    """Sign somebody in and return how they type; what they typed is answered or they must wait."""
    browser = Browser()
    assert browser.login(username=name, password=PASSWORD)
    cookies = f"sessionid={browser.cookies['sessionid'].value}; csrftoken={TOKEN}"
    headers = {"Cookie": cookies, "X-CSRFToken": TOKEN, "Accept": "application/json"}

    def key_pressed(fields: dict[str, str]) -> int:
        form_data = {**typed(campaign), **fields}
        return ask(port, address("unsaved", campaign), urlencode(form_data), headers)[0]

    return key_pressed


def peak_memory(web: int) -> int:
    """Return the most megabytes any process of the web server held, its sandboxes apart."""
    peaks = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            command = (status.parent / "cmdline").read_bytes()
            group = (status.parent / "stat").read_text().rpartition(") ")[2].split()[2]
            if group == str(web) and b"sandbox" not in command:
                peaks.append(int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024)
        except (OSError, IndexError):
            continue
    return max(peaks)


def test_one_click_answers_while_bombs_are_typed(line: Line, cast: Cast, note: Note) -> None:
    """Two type at once, one of them in two windows; every reader is answered within a second."""
    seconds = lasting(4, 90)
    add_readers(cast, seconds * 20)
    port = line.start_web(threads=8)
    campaign = cast.campaign()
    for name in ("mara", "nell"):
        make_staff(name, client=cast.client)
    mara, nell = (typing(port, name, campaign) for name in ("mara", "nell"))
    assert mara({}) == nell({}) == 200
    before = peak_memory(line.running["web"].pid)
    until = time.monotonic() + seconds
    statuses: list[int] = []

    def bombard(key_pressed: Callable[[dict[str, str]], int]) -> None:
        while time.monotonic() < until:
            for fields in BOMBS.values():
                statuses.append(key_pressed(fields))
                if time.monotonic() > until:
                    return

    threads = [threading.Thread(target=bombard, args=(who,)) for who in (mara, mara, nell)]
    for thread in threads:
        thread.start()
    readers = Subscription.objects.filter(registrant__address__startswith="reader")
    answers: list[tuple[int, float]] = []
    for pk in readers.values_list("pk", flat=True):
        if time.monotonic() > until:
            break
        path = mail_links.one_click("", pk, campaign.pk)
        answers.append(ask(port, path, ONE_CLICK, {})[:2])
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    slowest = max(took for _, took in answers)
    grown = peak_memory(line.running["web"].pid) - before
    print(f"{len(answers)} answers, {len(statuses)} bombs, slowest {slowest:.2f} s, +{grown} MB")
    note("bombs typed by two of the staff", times=len(statuses), seconds=slowest)
    assert {status for status, _ in answers} == {200}
    assert set(statuses) <= {200, 429}
    assert slowest < 1
    assert grown < 250
    assert readers.filter(state="ended").count() == len(answers)
