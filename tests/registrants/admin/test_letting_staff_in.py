"""Somebody new is let in.

Mirrors several: registrants/admin/staff.py, registrants/admin/assignment.py.
"""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

PASSWORD = "a-long-way-up-the-stairs"


@pytest.mark.django_db
def test_a_superuser_lets_somebody_in_who_can_then_sign_in() -> None:
    root = User.objects.create_superuser("root", "root@staff.example.org", PASSWORD)
    browser = Browser()
    browser.force_login(root)
    where = reverse("admin:auth_user_add")
    shown = browser.get(where).content.decode()
    for name in ("username", "email", "password1", "password2", "is_staff"):
        assert f'name="{name}"' in shown
    typed = {
        "username": "ines",
        "email": "ines@staff.example.org",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "is_staff": "on",
    }
    assert browser.post(where, typed).status_code == 302
    ines = User.objects.get(username="ines")
    assert ines.is_staff
    assert not ines.is_superuser
    assert ines.email == "ines@staff.example.org"
    assert Browser().login(username="ines", password=PASSWORD)
