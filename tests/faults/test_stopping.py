"""SIGTERM: what is on the wire ends, the rest is released, nobody waits for long."""

import time

import pytest

from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Lease
from tests.cast import Cast
from tests.faults.books import Keeper
from tests.faults.conftest import add_readers
from tests.faults.patience import TIME_LIMIT, lasting, wait_until_more
from tests.faults.table import Note
from tests.faults.workers import Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]


@pytest.mark.parametrize("pace", lasting([4.0], [4.0, 300.0]))
def test_a_worker_asked_to_end_finishes_what_is_on_the_wire_and_releases_the_rest(
    line: Line, cast: Cast, note: Note, pace: float
) -> None:
    """C-15: an upgrade costs nothing, also while a mail server is slow."""
    add_readers(cast, 1_000 + round(pace * 30))
    line.start_mail(pace)
    line.start_workers()
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    lifecycle.send_now(mailing=campaign, staff=None)
    times, took = lasting(1, 2), []
    for _ in range(times):
        before = line.mail.count()
        wait_until_more(line.mail.count, before + 2, 20, line.logs)
        time.sleep(0.3)
        took.append(line.terminate("bulk"))
        stopped = keeper.books()
        assert stopped.of("unknown") == set()
        assert stopped.of("handing_over") == set()
        assert stopped.of("sent") == set(stopped.accepted)
        assert not Lease.objects.exclude(attempt=None).exists()
        line.start_bulk()
    print("ended after", [f"{seconds:.1f} s" for seconds in took])
    assert max(took) < 15
    assert Delivery.objects.filter(mailing=campaign, state="staged").exists(), "it was over before"
    line.mail.ask("XPACE 0")
    line.wait_for(campaign, "sent", patience=25)
    books = keeper.books()
    note(f"SIGTERM at {pace:.0f} mails/s", times=times, **books.row())
    assert books.wrong == {}
    assert books.of("sent") == set(books.entries)
