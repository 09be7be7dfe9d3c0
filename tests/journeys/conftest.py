"""A whole running system, started as a newcomer starts it, and a real browser."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
OURS = ("HEED_", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DJANGO_", "PYTEST_")
CALM = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
]


@dataclass(frozen=True)
class System:
    """Where a running system answers."""

    web: str
    inbox: str
    data: Path
    process: subprocess.Popen[bytes]


def start_system(data: Path, *, port: int = 18000) -> System:
    """Run `python -m local` as a newcomer would and wait for its welcome."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    data.parent.mkdir(parents=True, exist_ok=True)
    screen = data.parent / "screen.txt"
    with screen.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "--data", str(data), "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    welcome = ""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and "Ctrl-C stops" not in welcome and process.poll() is None:
        time.sleep(0.1)
        welcome = screen.read_text()
    web = re.search(r"Staff\s+(http://\S+)/admin/", welcome)
    inbox = re.search(r"Inbox of caught mail\s+(http://\S+?)/\s", welcome)
    assert web and inbox, f"it did not start:\n{welcome}"
    return System(web[1], inbox[1], data, process)


def stop_system(system: System) -> int:
    """Press Ctrl-C and wait; return the exit code."""
    system.process.send_signal(signal.SIGINT)
    return system.process.wait(40)


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Return a whole system with demo data, for the journeys of one run."""
    data = tmp_path_factory.mktemp("a journey") / "data with spaces"
    running = start_system(data)
    yield running
    stop_system(running)
    environment = dict(os.environ, HEED_DATA=str(data))
    subprocess.run([sys.executable, "-m", "local", "forget"], cwd=ROOT, env=environment, check=True)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium, or skip with how to get it.

    It ends with the journeys: its event loop runs in the thread of the tests, where no other test
    could run one of its own.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("the journeys need a browser: apt-get install chromium")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=[*CALM, *root])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a fresh page of a fresh visitor."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()
