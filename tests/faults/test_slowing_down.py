"""A receiver asks for less mail: it is left alone, and nobody else waits."""

import time
from datetime import timedelta

import pytest
from django.db.models import Min
from django.utils.timezone import now

from newsletter.mailings import lifecycle
from newsletter.models import Delivery
from tests.cast import Cast
from tests.faults.books import Keeper
from tests.faults.conftest import add_readers, sender_to
from tests.faults.patience import TIME_LIMIT, lasting
from tests.faults.table import Note
from tests.faults.workers import Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

TEN_MINUTES = timedelta(minutes=10)


def test_a_receiver_that_says_slow_down_is_left_alone_for_ten_minutes(
    line: Line, cast: Cast, note: Note
) -> None:
    """AT-P1, P-5: 421 4.7.28 stops Gmail, and Gmail alone, in its own words."""
    others, at_gmail = lasting((1_000, 3_000), (5_000, 8_000))
    add_readers(cast, others)
    add_readers(cast, at_gmail, at="gmail.com")
    server = line.moody("421 4.7.28 for one receiver")
    campaign = cast.campaign(sender=sender_to(cast, server))
    keeper = Keeper(campaign, server)
    lifecycle.send_now(mailing=campaign, staff=None)
    line.start_workers(children=2)
    line.wait_until_nothing_goes(campaign, patience=lasting(30, 120))
    books = keeper.books()
    note("421 4.7.28 for one receiver", **books.row())

    gmail = {who for who in books.entries if who.endswith("@gmail.com")}
    assert books.wrong == {}
    assert books.of("deferred") == gmail
    assert books.of("sent") == set(books.entries) - gmail
    asked = [entry for entry in books.entries.values() if entry.code == 421]
    named = [event.at for event in server.seen() if event.recipient in gmail]
    print(f"{len(asked)} of {len(gmail)} asked, {max(named) - min(named):.2f} s long")
    assert max(named) - min(named) < 1.5, "it went on asking"
    # Those on their way over a handful of connections of two processes.
    assert 0 < len(asked) <= 100 < len(gmail)
    assert all("try again later" in entry.answer for entry in asked)
    unasked = [
        entry for entry in books.entries.values() if entry.state == "deferred" and not entry.code
    ]
    assert all("Gmail asked us to slow down" in entry.answer for entry in unasked)
    first = Delivery.objects.filter(mailing=campaign, state="deferred").aggregate(at=Min("due_at"))
    assert first["at"] - now() > TEN_MINUTES - timedelta(seconds=30)

    before = len(server.seen())
    time.sleep(2)
    assert len(server.seen()) == before, "it was asked again"
