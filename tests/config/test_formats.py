"""How times are written."""

from datetime import UTC, datetime

from django.utils.formats import localize


def test_a_time_on_a_staff_list_says_which_clock_it_is_on() -> None:
    assert localize(datetime(2026, 11, 3, 7, 5, tzinfo=UTC)) == "3 Nov 2026, 07:05 UTC"
