"""A domain belongs to one client: by the forms, by the page of the owner, and by the database.

Mirrors several: registrants/domains.py, registrants/models/client_domain.py,
registrants/public_mailboxes.py, registrants/admin/client_domain.py, registrants/admin/client.py,
registrants/migrations/0005_domains_in_use.py.
"""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.urls import reverse

from accountability.models import AuditEntry
from accountability.roles import Role
from newsletter.receivers import well_known
from registrants import domains
from registrants.models import Client, ClientDomain
from registrants.models.client_domain import as_allowed
from registrants.public_mailboxes import is_public
from tests.cast import PASSWORD, make_client, make_staff

pytestmark = pytest.mark.django_db
PAGE = "admin:registrants_clientdomain"


@pytest.fixture
def heron() -> Client:
    """Return a client with heron.example.org."""
    return make_client()


@pytest.fixture
def otter() -> Client:
    """Return another, with otter.example.org."""
    return make_client("Otter Press", "otter")


@pytest.fixture
def owner() -> Browser:
    """Return the browser of the owner of the installation."""
    get_user_model().objects.create_superuser("olga", "olga@staff.example.org", PASSWORD)
    browser = Browser()
    assert browser.login(username="olga", password=PASSWORD)
    return browser


def administrator_of(client: Client) -> Browser:
    """Return the browser of an administrator."""
    make_staff(f"adam-{client.slug}", client=client, role=Role.ADMINISTRATOR)
    browser = Browser()
    assert browser.login(username=f"adam-{client.slug}", password=PASSWORD)
    return browser


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("heron.example.org", True),
        ("news.heron.example.org", True),
        ("post@heron.example.org", True),
        ("Post@News.HERON.example.org", True),
        ("example.org", False),
        ("notheron.example.org", False),
        ("heron.example.org.evil.example", False),
        ("otter.example.org", False),
        ("post@heron.example.org@evil.example", False),
        ("", False),
        ("@", False),
        ("post@", False),
        ("org", False),
    ],
)
def test_what_is_allowed_holds_for_all_below_it(
    heron: Client, otter: Client, name: str, allowed: bool
) -> None:
    assert domains.is_allowed(heron, name) is allowed
    assert bool(domains.fault(heron, name)) is not allowed


def test_a_client_not_saved_yet_is_allowed_nothing(heron: Client) -> None:
    assert domains.fault(Client(name="New"), "heron.example.org")


def test_a_public_mailbox_is_allowed_by_address_alone(heron: Client, otter: Client) -> None:
    domains.allow(client=heron, names=["Heron.Books@gmail.com"], staff=None)
    domains.allow(client=otter, names=["books@gmail.com"], staff=None)
    assert domains.is_allowed(heron, "heron.books@gmail.com")
    assert not domains.is_allowed(otter, "heron.books@gmail.com")
    assert not domains.is_allowed(heron, "other@gmail.com")
    assert not domains.is_allowed(heron, "gmail.com")


@pytest.mark.parametrize(
    "typed",
    ["gmail.com", "yahoo.co.uk", "co.uk", "GMX.de", "post@heron.example", "localhost",
     "a b.example",
     "192.0.2.1", "", "@gmail.com", "outlook.fr", "live.nl", "xn--.."],
)  # fmt: skip
def test_what_is_nobodys_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        as_allowed(typed)


def test_every_domain_people_have_mailboxes_at_is_public() -> None:
    assert [domain for domain in well_known.domains() if not is_public(domain)] == []
    assert not is_public("gmail.example.org") and not is_public("live.heron.example")


@pytest.mark.parametrize("name", ["heron.example.org", "news.heron.example.org", "example.org"])
def test_no_domain_has_two_clients_in_either_direction(
    heron: Client, otter: Client, name: str
) -> None:
    """By the function, and by the database itself."""
    with pytest.raises(ValidationError, match="belongs to"):
        domains.allow(client=otter, names=[name], staff=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        ClientDomain.objects.create(client=otter, name=name)
    row = otter.domains.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        row.name = name
        row.save()


def test_a_name_that_only_looks_alike_is_another(heron: Client, otter: Client) -> None:
    for name in ("notheron.example.org", "heron.example.net", "her_n.example.org"):
        ClientDomain.objects.create(client=otter, name=name)


def test_the_owner_allows_and_withdraws(heron: Client, otter: Client, owner: Browser) -> None:
    """And both acts are in the trail."""
    form_data = {"client": heron.pk, "name": "Bücher.example"}
    assert owner.post(reverse(f"{PAGE}_add"), form_data).status_code == 302
    row = ClientDomain.objects.get(name="xn--bcher-kva.example")
    assert row.allowed_by is not None
    answer = owner.post(reverse(f"{PAGE}_add"), form_data | {"client": otter.pk})
    assert "belongs to Heron Books" in str(answer.context["adminform"].form.errors["name"])
    assert owner.post(reverse(f"{PAGE}_delete", args=[row.pk]), {"post": "yes"}).status_code == 302
    acts = AuditEntry.objects.filter(subject_kind="clientdomain", subject=row.pk).order_by("id")
    assert [entry.act for entry in acts] == ["add", "delete"]
    assert {entry.client for entry in acts} == {heron.pk}


def test_nobody_else_allows_or_withdraws(heron: Client) -> None:
    """An administrator sees what is allowed."""
    browser, row = administrator_of(heron), heron.domains.get()
    assert "heron.example.org" in browser.get(reverse(f"{PAGE}_changelist")).content.decode()
    form_data = {"client": heron.pk, "name": "heron.example"}
    assert browser.post(reverse(f"{PAGE}_add"), form_data).status_code == 403
    page = reverse(f"{PAGE}_delete", args=[row.pk])
    assert browser.post(page, {"post": "yes"}).status_code == 403
    page = reverse(f"{PAGE}_change", args=[row.pk])
    assert browser.post(page, form_data).status_code == 403
    assert [row.name for row in heron.domains.all()] == ["heron.example.org"]


def client_form(client: Client, **changes: Any) -> dict[str, Any]:
    """Return the form of a client as it is opened, with something typed over."""
    names = ("name", "slug", "postal_address", "domain", "link_host", "time_zone", "locale")
    return {name: getattr(client, name) for name in names} | changes


def test_an_administrator_chooses_among_what_is_allowed(heron: Client, otter: Client) -> None:
    """The fault says who can allow it; a client with no link host of its own is no fault."""
    browser = administrator_of(heron)
    page = reverse("admin:registrants_client_change", args=[heron.pk])
    for name in ("domain", "link_host"):
        answer = browser.post(page, client_form(heron, **{name: "otter.example.org"}))
        [fault] = answer.context["adminform"].form.errors[name]
        assert "The owner of this installation allows" in fault and "Otter" not in fault
    hosts = {"domain": "news.heron.example.org", "link_host": "m.Heron.example.org"}
    assert browser.post(page, client_form(heron, **hosts)).status_code == 302
    heron.refresh_from_db()
    assert heron.link_host == "m.heron.example.org"
    assert browser.post(page, client_form(heron, link_host="")).status_code == 302


def test_the_owner_allows_what_they_write(heron: Client, otter: Client, owner: Browser) -> None:
    page = reverse("admin:registrants_client_change", args=[heron.pk])
    form_data = client_form(heron, link_host="m.heron.example")
    assert owner.post(page, form_data).status_code == 302
    assert domains.is_allowed(heron, "m.heron.example")
    answer = owner.post(page, client_form(heron, link_host="otter.example.org"))
    assert "belongs to Otter Press" in str(answer.context["adminform"].form.errors["link_host"])
    assert owner.post(reverse("admin:registrants_client_add"), client_form(
        Client(name="New", slug="new", postal_address="x", domain="new.example")
    )).status_code == 302  # fmt: skip
    assert domains.is_allowed(Client.objects.get(slug="new"), "new.example")


def test_what_was_in_use_stays_allowed_and_doubles_are_contested(
    heron: Client, otter: Client, owner: Browser
) -> None:
    """The health page lists them, until the owner withdraws one."""
    ClientDomain.objects.all().delete()
    module = import_module("registrants.migrations.0005_domains_in_use")
    pairs = [
        (heron.pk, "heron.example.org"), (heron.pk, "post@heron.example.org"), (heron.pk, ""),
        (otter.pk, "otter.example.org"), (otter.pk, "post@news.heron.example.org"), (otter.pk, ""),
        (heron.pk, "Heron@GMX.de"), (otter.pk, "otter@gmx.de"), (heron.pk, "post@müller.example"),
    ]  # fmt: skip
    module.allow_what_is_used(apps, pairs)
    module.allow_what_is_used(apps, pairs)
    rows = {(row.client, row.name): row.is_contested for row in ClientDomain.objects.all()}
    assert rows == {
        (heron, "heron.example.org"): True,
        (otter, "news.heron.example.org"): True,
        (otter, "otter.example.org"): False,
        (heron, "heron@gmx.de"): False,
        (otter, "otter@gmx.de"): False,
        (heron, "xn--mller-kva.example"): False,
    }
    page = owner.get(reverse("health")).content.decode()
    assert "Domain heron.example.org of Heron Books" in page
    theirs = ClientDomain.objects.get(name="news.heron.example.org")
    owner.post(reverse(f"{PAGE}_delete", args=[theirs.pk]), {"post": "yes"})
    assert not ClientDomain.objects.filter(is_contested=True).exists()
