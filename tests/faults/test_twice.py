"""Tasks come ten times, the broker is impatient, two timetables run: one start, one mail each."""

import time
from datetime import timedelta

import pytest
from django.utils.timezone import now

from config.celery import app
from newsletter.mailings import lifecycle
from tests.cast import Cast
from tests.faults.books import Keeper
from tests.faults.conftest import add_readers
from tests.faults.patience import TIME_LIMIT, lasting, wait_until
from tests.faults.table import Note
from tests.faults.workers import CONNECTIONS, Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

IMPATIENT = ("visibility=1",)
"""Seconds until Redis gives a task to another worker: less than a batch takes."""


def test_tasks_that_come_twice_and_two_timetables_double_nothing(
    line: Line, cast: Cast, note: Note
) -> None:
    """C-1, C-13, AT-C2, AT-C3: whatever wakes the workers, however often, at once."""
    rounds = lasting(2, 10)
    add_readers(cast, 1_500 * rounds)
    line.start_mail(per_second=700)
    line.start_bulk(children=2, odd=IMPATIENT)
    line.start_bulk("another", children=2, odd=IMPATIENT)
    line.start_letters()
    line.start_letters("more letters")
    line.start_beat()
    line.start_beat("another beat")
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    lifecycle.schedule(mailing=campaign, at=now() + timedelta(seconds=5), staff=None)
    assert line.mail.count() == 0
    wait_until(lambda: line.mail.count() > 20, 30, line.logs)
    for _ in range(rounds):
        for _ in range(10):
            app.send_task("newsletter.tasks.send_campaigns", task_id="the same")
            app.send_task("newsletter.tasks.tend", task_id="the same too")
        time.sleep(0.4)
    assert line.mail.count() < len(keeper.people) - 10, "it was over before the tasks came"
    line.wait_for(campaign, "sent", patience=lasting(30, 120))
    books = keeper.books()
    note("each task ten times, two timetables, impatient broker", times=10 * rounds, **books.row())
    assert books.wrong == {}
    assert books.of("sent") == set(books.entries)
    campaign.refresh_from_db()
    assert campaign.staged == len(books.entries)
    assert campaign.started_at and campaign.scheduled_at
    assert timedelta(0) <= campaign.started_at - campaign.scheduled_at < timedelta(minutes=1)
    connections = {event.connection for event in line.mail.seen() if event.what == "accepted"}
    assert len(connections) > CONNECTIONS, "one process sent it all: nothing was at once"
