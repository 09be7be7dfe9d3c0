"""A sender's password is written and never shown.

Mirrors several: newsletter/admin/sender.py, newsletter/admin/sender_form.py.
"""

from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from newsletter.models import Sender
from tests.cast import Cast

pytestmark = pytest.mark.django_db
SECRET = "correct horse battery"


@pytest.fixture
def sender(cast: Cast) -> Sender:
    """Return a sender with a server and a password of its own."""
    sender = cast.sender
    sender.transport, sender.host, sender.port = "smtp", "mail.example.org", 587
    sender.username, sender.password = "post", SECRET
    sender.save()
    return sender


def form(sender: Sender, **changes: Any) -> dict[str, Any]:
    """Return the form as it is opened, with something typed over."""
    names = ("name", "from_name", "from_address", "reply_to", "transport", "host", "port",
             "security", "username", "connections", "bounce_domain", "warm_up_first",
             "warm_up_growth", "warm_up_until")  # fmt: skip
    opened = {name: getattr(sender, name) for name in names} | {"is_default": "on"}
    rules = {"pace_rules-TOTAL_FORMS": 0, "pace_rules-INITIAL_FORMS": 0}
    return opened | rules | changes


def kept(sender: Sender) -> str:
    """Return the password as the code reads it."""
    return str(Sender.objects.get(pk=sender.pk).password)


def change(sender: Sender) -> str:
    """Return the address of the page."""
    return reverse("admin:newsletter_sender_change", args=[sender.pk])


def test_the_password_is_never_in_the_page(sender: Sender, administrator: Browser) -> None:
    """Not when it is opened, nor when it is sent back with a fault."""
    assert SECRET not in administrator.get(change(sender)).content.decode()
    answer = administrator.post(change(sender), form(sender, name="", new_password="fresh secret"))
    assert answer.status_code == 200
    assert "fresh secret" not in answer.content.decode()


def test_left_empty_the_password_stays(sender: Sender, administrator: Browser) -> None:
    """Other fields change without it."""
    assert administrator.post(change(sender), form(sender, name="Else")).status_code == 302
    assert kept(sender) == SECRET


def test_typed_it_is_replaced_and_stored_encrypted(sender: Sender, administrator: Browser) -> None:
    """The database holds ciphertext alone."""
    assert administrator.post(change(sender), form(sender, new_password="n3w ")).status_code == 302
    assert kept(sender) == "n3w "
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM newsletter_sender WHERE id = %s", [sender.pk])
        assert "n3w" not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    "changes", [{"host": "evil.example.net"}, {"security": "none"}, {"port": 25}]
)
def test_a_kept_password_goes_to_no_other_server(
    sender: Sender, administrator: Browser, changes: dict[str, Any]
) -> None:
    """Whoever moves the sender must know the password."""
    answer = administrator.post(change(sender), form(sender, **changes))
    assert "new_password" in answer.context["adminform"].form.errors
    assert kept(sender) == SECRET


def test_a_server_of_its_own_has_a_name(sender: Sender, administrator: Browser) -> None:
    """The fault stands at the field."""
    answer = administrator.post(change(sender), form(sender, host="", new_password="x"))
    assert "host" in answer.context["adminform"].form.errors


def test_a_marketer_sees_no_sender_page(sender: Sender, browser: Browser) -> None:
    """Senders are set up by administrators."""
    assert browser.get(reverse("admin:newsletter_sender_changelist")).status_code == 403
    assert browser.get(change(sender)).status_code in (302, 403)
