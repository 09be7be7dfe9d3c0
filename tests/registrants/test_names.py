"""What a person may be called, and how they correct it.

Mirrors several: registrants/preferences.py, registrants/models.
"""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accountability.models import AuditEntry
from registrants import preferences
from tests.cast import Cast


@pytest.mark.parametrize(
    "name", ["Ada", "José Ñandú-O’Neill", "李小龍", "عائشة", "क्‍ष", "👩‍🚀 Jo", "x" * 120, ""]
)
def test_names_of_the_world_stay_as_they_are(name: str) -> None:
    assert preferences.clean_name(name) == name


def test_space_around_and_between_is_tidied() -> None:
    assert preferences.clean_name("  Ada \t\n Lovelace ") == "Ada Lovelace"


@pytest.mark.parametrize(
    "name",
    ["x" * 121, "a\0b", "a\x07b", "a\u202eb", "a\ud800b", "see https://a.example", "WWW.a.example"],
)
def test_what_is_no_name_is_refused_with_a_sentence(name: str) -> None:
    """M-5, S-6."""
    with pytest.raises(ValidationError) as refused:
        preferences.clean_name(name)
    assert refused.value.messages[0].endswith(".")


@given(st.text())
def test_no_name_ever_breaks_a_header_line(text: str) -> None:
    try:
        name = preferences.clean_name(text)
    except ValidationError:
        return
    assert len(name) <= preferences.NAME_CHARACTERS
    assert len(name.splitlines()) <= 1
    assert "\0" not in name


def test_a_correction_is_kept_and_noted_without_the_name(cast: Cast) -> None:
    preferences.rename(registrant=cast.ada, name="Ada Lovelace")
    cast.ada.refresh_from_db()
    assert cast.ada.name == "Ada Lovelace"
    noted = AuditEntry.objects.latest("pk")
    assert noted.act == "rename"
    assert "Lovelace" not in str(vars(noted))


def test_a_refused_name_changes_nothing(cast: Cast) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(ValidationError):
        preferences.rename(registrant=cast.ada, name="www.spam.example")
    cast.ada.refresh_from_db()
    assert cast.ada.name == "Ada"
    assert AuditEntry.objects.count() == before
