"""A new letter, format, kind or lane is met everywhere it must be.

Mirrors several: newsletter/letters.py, newsletter/content/layout.py,
newsletter/content/compiling.py, newsletter/delivery/staging.py, tracking/events.py.
"""

from typing import get_args

from newsletter import letters, pace
from newsletter.content import compiling, layout
from newsletter.delivery import staging
from newsletter.models import Delivery, Lease, Mailing, Template
from tracking import events
from tracking.intake import hits
from tracking.models import Event


def test_every_letter_has_its_text() -> None:
    assert set(letters.LETTERS) == set(Delivery.Letter)


def test_every_kind_of_mail_has_a_layout_of_the_house_in_each_format() -> None:
    assert set(layout.BUILT_IN) == set(get_args(pace.Kind))
    for name in layout.BUILT_IN.values():
        for form in Template.Format:
            assert (layout.LAYOUTS / f"{name}.{form}").is_file()


def test_every_body_format_has_a_format_of_layout() -> None:
    assert set(compiling.BUILT_IN_FORMAT) == set(Mailing.Format)


def test_every_kind_of_mailing_has_a_lane_and_letters_have_the_last() -> None:
    assert set(staging.LANES) == set(Mailing.Kind)
    assert set(Lease.Lane) - set(staging.LANES.values()) == {Lease.Lane.LETTERS}


def test_every_kind_of_hit_is_a_kind_of_event() -> None:
    assert set(events.KINDS) == {hits.OPENED, hits.CLICKED}
    assert set(events.KINDS.values()) == set(Event.Kind) - {Event.Kind.UNSUBSCRIBED}
