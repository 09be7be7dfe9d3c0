"""The client's page: what it asks for, and what it refuses without losing a word.

Mirrors several: registrants/admin/client.py, registrants/scoped_admin.py.
"""

import pytest
from django.forms import ValidationError
from django.test import Client as Browser
from django.urls import reverse

from accountability.roles import Role
from registrants.admin.client import NamesField
from tests.cast import PASSWORD, Cast, make_staff

pytestmark = pytest.mark.django_db


def test_attributes_are_named_line_by_line(cast: Cast, client: Browser) -> None:
    make_staff("boss", client=cast.client, role=Role.ADMINISTRATOR)
    client.login(username="boss", password=PASSWORD)
    page = reverse("admin:registrants_client_change", args=[cast.client.pk])
    form = client.get(page).context["adminform"].form
    assert form["attribute_names"].value() == "city"
    typed = {name: form[name].value() or "" for name in form.fields}
    answer = client.post(page, {**typed, "attribute_names": "city\r\nfavourite_bird, city"})
    assert answer.status_code == 302
    cast.client.refresh_from_db()
    assert cast.client.attribute_names == ["city", "favourite_bird"]

    answer = client.post(page, {**typed, "attribute_names": "city\r\nFavourite Bird"})
    assert "“Favourite” cannot be a name" in answer.content.decode()
    assert "city\r\nFavourite Bird" in answer.content.decode()
    cast.client.refresh_from_db()
    assert cast.client.attribute_names == ["city", "favourite_bird"]


def test_the_page_says_which_languages_a_client_may_speak(cast: Cast, client: Browser) -> None:
    make_staff("boss", client=cast.client, role=Role.ADMINISTRATOR)
    client.login(username="boss", password=PASSWORD)
    page = client.get(reverse("admin:registrants_client_change", args=[cast.client.pk]))
    assert "footers: en (English)" in page.content.decode()


@pytest.mark.parametrize("word", ["name", "size", "1st", "a.b", "x" * 41, "Ä", "{{"])
def test_what_liquid_cannot_name_is_refused(word: str) -> None:
    with pytest.raises(ValidationError):
        NamesField().to_python(word)


def test_no_names_are_no_fault() -> None:
    assert NamesField(required=False).clean("  \n ") == []
