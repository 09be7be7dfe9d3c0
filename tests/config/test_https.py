"""What the settings make of https and of hosts.

Mirrors several: config/settings.py, config/middleware.py.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from local import keys

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "PATH": os.environ["PATH"],
    "DATABASE_URL": "postgresql:///heed",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "HEED_PUBLIC_URL": "https://news.example.org",
    "HEED_STAFF_HOSTS": "staff.example.org",
    "HEED_HTTPS_REDIRECT": "1",
    "HEED_HSTS_SECONDS": "31536000",
}


def test_django_finds_nothing_unsafe_in_production_with_https_by_setting() -> None:
    """A process of its own, since settings are read once: what it says, it says at start."""
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, env=PRODUCTION | keys.make(), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr


@pytest.fixture
def https(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 3600


@pytest.mark.parametrize("host", ["news.example.org", "a_b.example.org", "old.example.org:8000"])
def test_plain_http_is_led_to_https_whatever_host_was_asked_for(https: None, host: str) -> None:
    response = Client().get("/s/heron/", headers={"host": host})
    assert response.status_code == 301
    assert response["Location"].startswith("https://")


def test_what_comes_by_https_is_answered_with_hsts(https: None, db: None) -> None:
    response = Client().get("/admin/login/", secure=True)
    assert response.status_code == 200
    assert response["Strict-Transport-Security"] == "max-age=3600"


def test_a_load_balancer_may_ask_for_health_without_https(https: None, db: None) -> None:
    assert Client().get("/healthz?part=database").status_code == 200
