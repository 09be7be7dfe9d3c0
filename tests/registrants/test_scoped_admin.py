"""Clients are walls: every staff page, as every role, with another client's ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client as Browser
from django.urls import reverse

from accountability import audit
from accountability.models import AuditEntry
from accountability.roles import Role
from newsletter.models import Delivery, Template
from registrants.models import Assignment, Client, Enrolment, Wording
from registrants.scoped_admin import StaffPage
from tests.cast import (
    PASSWORD,
    Cast,
    confirmed,
    make_client,
    make_list,
    make_registrant,
    make_sender,
    make_staff,
)

pytestmark = pytest.mark.django_db
SECRET = "Zephyrine"
"""Stands in everything the other client has, so that it is seen wherever it leaks."""


@dataclass
class Walls:
    """One client's staff, and what stands behind the other client's wall."""

    rows: dict[type[Model], Model]
    staff: dict[str, User]


@pytest.fixture
def walls(cast: Cast) -> Walls:
    """Return another client with a row of every model that has a staff page."""
    from registrants.models import Service

    other = make_client(SECRET, "zeph")
    mailing_list = make_list(other, f"{SECRET} list", "zeph")
    service = Service.objects.create(client=other, name=f"{SECRET} service", description="x")
    person = make_registrant(other, "zephyrine@example.net", name=SECRET)
    confirmed(person, mailing_list)
    sender = make_sender(other, name=SECRET, from_name=SECRET)
    layout = Template.objects.create(client=other, name=SECRET, source=SECRET)
    fields: dict[str, Any] = {"client": other, "sender": sender, "subject": SECRET}
    campaign = cast.campaign(**fields, mailing_list=mailing_list)
    notice = cast.notice(**fields, service=service)
    boss = make_staff("boss", client=other, role=Role.ADMINISTRATOR)
    User.objects.filter(pk=boss.pk).update(first_name=SECRET)
    rows: list[Model] = [
        other,
        other.domains.get(),
        mailing_list,
        service,
        person,
        sender,
        layout,
        campaign,
        notice,
        Enrolment.objects.create(service=service, registrant=person),
        Delivery.objects.create(mailing=campaign, registrant=person),
        Assignment.objects.get(staff=boss),
        boss,
        audit.record(act="add", subject=other, client=other.pk, word=SECRET),
    ]
    Wording.objects.create(client=other, purpose="opens", text=SECRET, version=9)
    return Walls(
        rows={type(row): row for row in rows},
        staff={
            "marketer": make_staff("mara", client=cast.client),
            "administrator": make_staff("ada-min", client=cast.client, role=Role.ADMINISTRATOR),
            "nobody's": make_staff("norman"),
        },
    )


def every_address(rows: dict[type[Model], Model]) -> Iterator[str]:
    """Yield every address of every staff page that names a row."""
    extra = {"part": "html", "move": "cancel"}
    for model, page in admin.site._registry.items():
        concrete = model._meta.concrete_model or model
        kin = [row for row in rows.values() if isinstance(row, concrete)]
        row = rows.get(model, kin[0] if kin else None)
        assert row is not None, f"the test has no row of {model}"
        for pattern in page.get_urls():
            wanted = pattern.pattern.converters
            if not pattern.name or not {"pk", "object_id", "id"} & set(wanted):
                continue
            given = {name: extra.get(name, row.pk) for name in wanted}
            yield reverse(f"admin:{pattern.name}", kwargs=given)


def signed_in(staff: User | None) -> Browser:
    """Return a browser, signed in where there is somebody to sign in."""
    browser = Browser()
    if staff:
        assert browser.login(username=staff.username, password=PASSWORD)
    return browser


def test_every_staff_page_inherits_the_base_class() -> None:
    """One class knows the walls (dependencies.md §2.1)."""
    assert all(isinstance(page, StaffPage) for page in admin.site._registry.values())


@pytest.mark.parametrize("role", ["marketer", "administrator", "nobody's", "anonymous"])
def test_no_page_shows_or_changes_another_clients_rows(walls: Walls, role: str) -> None:
    """Design §5: a test walks every URL with another client's ids."""
    browser = signed_in(walls.staff.get(role))
    addresses = list(every_address(walls.rows))
    assert len(addresses) > 40
    before = AuditEntry.objects.count()
    for address in addresses:
        for ask in (browser.get, browser.post):
            answer = ask(address)
            assert answer.status_code in (302, 403, 404, 405), address
            assert SECRET not in answer.content.decode(), address
            if answer.status_code == 302:
                assert answer["Location"].startswith("/admin/"), address
                page = browser.get(answer["Location"], follow=True)
                assert SECRET not in page.content.decode(), address
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("role", ["marketer", "administrator", "nobody's"])
def test_no_list_filter_or_form_names_another_client(walls: Walls, role: str) -> None:
    """A list, its filters and the choices of an empty form keep to one's own clients."""
    browser = signed_in(walls.staff[role])
    seen = 0
    for page in admin.site._registry.values():
        for pattern in page.get_urls():
            if not pattern.name or not pattern.name.endswith(("_changelist", "_add")):
                continue
            address = reverse(f"admin:{pattern.name}")
            answer = browser.get(address)
            seen += answer.status_code == 200
            assert answer.status_code in (200, 403), address
            assert SECRET not in answer.content.decode(), address
    assert seen == 0 if role == "nobody's" else seen > 5


def test_a_forged_choice_of_another_clients_row_is_refused(walls: Walls, cast: Cast) -> None:
    """The choices are checked on the way in, not only left out of the page."""
    from newsletter.models import Campaign, Sender

    browser = signed_in(walls.staff["marketer"])
    answer = browser.post(
        reverse("admin:newsletter_campaign_add"),
        {
            "client": cast.client.pk,
            "mailing_list": cast.mailing_list.pk,
            "sender": walls.rows[Sender].pk,
            "subject": "Hello",
        },
    )
    assert answer.status_code == 200
    assert "sender" in answer.context["adminform"].form.errors
    assert Campaign.objects.filter(client=cast.client).count() == 0


@pytest.mark.parametrize("role", ["marketer", "administrator"])
def test_models_django_knows_permissions_for_are_closed_to_roles(walls: Walls, role: str) -> None:
    """Staff, assignments and the trail are for superusers, whatever model permissions say."""
    from django.contrib.auth.models import Permission

    staff = walls.staff[role]
    staff.user_permissions.set(Permission.objects.all())
    browser = signed_in(staff)
    for name in ("auth_user", "registrants_assignment", "accountability_auditentry"):
        assert browser.get(reverse(f"admin:{name}_changelist")).status_code == 403


def test_a_marketer_sets_nothing_up_and_an_administrator_does(walls: Walls, cast: Cast) -> None:
    """The rights of roles.py decide."""
    address = reverse("admin:registrants_client_change", args=[cast.client.pk])
    assert signed_in(walls.staff["marketer"]).get(address).status_code in (302, 403)
    answer = signed_in(walls.staff["administrator"]).get(address)
    assert answer.status_code == 200
    assert b'name="name"' in answer.content
    assert b'name="on_hold_at' not in answer.content


def test_a_change_is_in_the_audit_trail_without_its_values(cast: Cast) -> None:
    """Design §5: who, what, when, on whose behalf; Django's own log keeps nothing."""
    from django.contrib.admin.models import LogEntry

    root = User.objects.create_superuser("root", "root@staff.example.org", PASSWORD)
    answer = signed_in(root).post(
        reverse("admin:registrants_service_change", args=[cast.service.pk]),
        {"name": "A new name", "description": "x"},
    )
    assert answer.status_code == 302
    entry = AuditEntry.objects.filter(act="change").get()
    assert (entry.staff, entry.client, entry.subject) == (root.pk, cast.client.pk, cast.service.pk)
    assert "A new name" not in str(entry.detail)
    assert not LogEntry.objects.exists()


def test_a_registrants_page_shows_where_they_stand_and_changes_nothing(cast: Cast) -> None:
    """Subscriptions, consent history and suppressions are read-only."""
    marketer = make_staff("mara", client=cast.client)
    address = reverse("admin:registrants_registrant_change", args=[cast.dov.pk])
    answer = signed_in(marketer).get(address)
    page = answer.content.decode()
    assert "never mail me (Heron Books)" in page
    assert "confirm page" in page
    assert signed_in(marketer).post(address, {"name": "Else"}).status_code == 403


def test_a_person_is_found_by_the_whole_address(cast: Cast) -> None:
    """The keyed hash is indexed; the address alone is not."""
    marketer = make_staff("mara", client=cast.client)
    answer = signed_in(marketer).get(
        reverse("admin:registrants_registrant_changelist"), {"q": "ADA@example.net"}
    )
    assert [row.pk for row in answer.context["cl"].result_list] == [cast.ada.pk]


def test_every_staff_page_has_the_staff_policy(cast: Cast) -> None:
    """No inline script, nothing from outside, in nobody's frame."""
    browser = signed_in(make_staff("mara", client=cast.client))
    for address in (reverse("admin:login"), reverse("admin:newsletter_campaign_changelist")):
        policy = browser.get(address)["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe-eval';" in policy + ";"
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy


def test_only_a_superuser_makes_a_client(cast: Cast) -> None:
    """A new client is a new wall."""
    administrator = make_staff("adam", client=cast.client, role=Role.ADMINISTRATOR)
    assert signed_in(administrator).get(reverse("admin:registrants_client_add")).status_code == 403
    root = User.objects.create_superuser("root", "root@staff.example.org", PASSWORD)
    assert signed_in(root).get(reverse("admin:registrants_client_add")).status_code == 200
    assert Client.objects.count() == 1
