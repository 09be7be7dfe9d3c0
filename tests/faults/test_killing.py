"""kill -9 at random moments of a campaign: nothing lost, nothing doubled, all true."""

import random
import time
from bisect import bisect_left

import pytest
from django.db.models import Sum

from newsletter import letters
from newsletter.mailings import lifecycle
from newsletter.models import Delivery, Lease
from registrants.models import Registrant
from tests.cast import Cast
from tests.faults.books import Keeper, LetterKeeper
from tests.faults.conftest import add_readers
from tests.faults.mail import Seen
from tests.faults.patience import LONG, TIME_LIMIT, lasting, wait_until
from tests.faults.table import Note
from tests.faults.workers import CONNECTIONS, Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

KILLS = lasting({"any": 10}, {"child": 95, "whole worker": 25, "parent": 20, "any": 25})
PACE = 150
VICTIMS = ("child", "child", "child", "child", "whole worker", "parent")


@pytest.mark.parametrize("victim", KILLS)
def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(
    line: Line, cast: Cast, note: Note, victim: str
) -> None:
    """AT-C1: each is accepted once or unknown, and what is unknown was on the wire."""
    kills = KILLS[victim]
    readers = lasting(2_500, 250 * kills)
    add_readers(cast, readers)
    line.start_mail(per_second=PACE)
    line.start_workers()
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    lifecycle.send_now(mailing=campaign, staff=None)
    dice = random.Random()
    killed_at = []
    for _ in range(kills):
        if dice.random() < 0.8:  # else whatever it is at: starting, staging, taking, recovering
            wait_for_more(line)
        time.sleep(dice.uniform(0.0, 0.6))
        killed_at.append(time.time())
        kill(line, dice.choice(VICTIMS) if victim == "any" else victim)
    if not LONG:
        line.mail.ask("XPACE 0")
    line.wait_until_nothing_goes(campaign, patience=lasting(30, 400))

    books = keeper.books()
    unknown = books.of("unknown")
    note(f"kill -9 at random: {victim}", times=kills, **books.row())
    assert books.wrong == {}
    assert len(books.entries) == readers + 1
    assert books.of("sent") | unknown == set(books.entries)
    assert len(unknown) <= kills * CONNECTIONS
    assert unknown <= on_the_wire(line.mail.seen(), killed_at)
    counted = Lease.objects.aggregate(sent=Sum("sent"), unknown=Sum("unknown"))
    assert counted == {"sent": len(books.of("sent")), "unknown": len(unknown)}
    line.wait_for(campaign, "sending" if unknown else "sent", patience=5)


def wait_for_more(line: Line) -> None:
    """Wait until mail flows again."""
    before = line.mail.count()

    def flows() -> bool:
        line.revive()
        return line.mail.count() > before

    wait_until(flows, 30, line.logs)


def kill(line: Line, victim: str) -> None:
    """End the sending process, the whole worker, or the parent that watches the sending one."""
    if victim == "child":
        line.kill_child("bulk")
        return
    if victim == "parent":
        line.kill_parent("bulk")
    else:
        line.kill("bulk")
    line.start_bulk()


def on_the_wire(seen: list[Seen], killed_at: list[float]) -> set[str]:
    """Return who may have been on a wire at a kill: the last two begun on a connection it ended.

    Two, for the server may have answered one and asked for the next before the worker read either.
    """
    recipients: set[str] = set()
    last: dict[int, list[Seen]] = {}
    for event in seen:
        if event.what == "begun":
            last[event.connection] = [*last.get(event.connection, [])[-1:], event]
        elif event.what == "closed" and event.connection in last:
            # The server only looks at a connection again when its mail's turn has come.
            nearest = bisect_left(killed_at, event.at) - 1
            if nearest >= 0 and event.at - killed_at[nearest] < 2:
                recipients |= {one.recipient for one in last[event.connection]}
    return recipients


def test_letters_survive_their_worker_too(line: Line, cast: Cast, note: Note) -> None:
    """Each is owed once and sent once, whatever becomes of who sends it."""
    kills, owed = lasting((4, 80), (40, 800))
    add_readers(cast, owed)
    line.start_mail(per_second=15)
    line.start_letters()
    line.start_beat()
    keeper = LetterKeeper(line.mail)
    for number, reader in enumerate(Registrant.objects.filter(pk__in=keeper.people), 1):
        letters.owe(registrant=reader, letter=Delivery.Letter.CHOICES, asked_by=number)
    dice = random.Random()
    for _ in range(kills):
        wait_for_more(line)
        time.sleep(dice.uniform(0.0, 0.3))
        line.kill_child("letters")
    line.mail.ask("XPACE 0")
    still_open = Lease.objects.filter(lane=Lease.Lane.LETTERS, sent=0, unknown=0)

    def are_over() -> bool:
        line.revive()
        return not still_open.exists()

    wait_until(are_over, 30, line.logs)
    books = keeper.books()
    note("kill -9 at random: letters", times=kills, **books.row())
    assert books.wrong == {}
    assert len(books.entries) == owed
    assert books.of("sent") | books.of("unknown") == set(books.entries)
    assert len(books.of("unknown")) <= kills
