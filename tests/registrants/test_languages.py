"""Who is spoken to in which language."""

import pytest
from django.utils.formats import date_format
from django.utils.timezone import now
from django.utils.translation import get_language, gettext
from pytest_django import Settings

from registrants import languages

SPOKEN = [
    ("en", "en"),
    ("en-GB", "en"),
    ("en_US", "en"),
    ("ar-xb", "ar-xb"),
    ("ar_XB", "ar-xb"),
    ("ar", "en"),
    ("de", "en"),
    ("", "en"),
    ("not a language", "en"),
    ("x" * 400, "en"),
]


@pytest.mark.parametrize(("locale", "language"), SPOKEN)
def test_a_client_is_spoken_for_in_the_nearest_language_there_is(
    locale: str, language: str
) -> None:
    assert languages.spoken(locale) == language


def test_the_pseudo_language_is_not_spoken_where_it_is_not_offered(settings: Settings) -> None:
    """It is for the demo and the tests; in production a client cannot have it."""
    settings.LANGUAGES = [("en", "English")]
    assert languages.spoken("ar-xb") == "en"


def test_words_and_dates_are_of_that_language_and_only_inside() -> None:
    english = gettext("Sign up"), date_format(now())
    with languages.speaking("ar-xb"):
        assert gettext("Sign up").startswith("⟦")
        assert date_format(now()) != english[1]
    assert (gettext("Sign up"), date_format(now())) == english
    assert get_language() == "en"
