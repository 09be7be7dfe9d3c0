"""kill -9 at each step a window takes: under a lease, handed over, in mid-DATA, after 250."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from django.db.models.functions import Now

from newsletter.delivery import staging
from newsletter.mailings import lifecycle
from newsletter.models import Campaign, Delivery, Lease
from tests.cast import Cast
from tests.faults.books import Books, Keeper
from tests.faults.conftest import add_readers, database_url, sender_to
from tests.faults.mail import MailServer
from tests.faults.patience import TIME_LIMIT, lasting, wait_until
from tests.faults.table import Note
from tests.faults.workers import CONNECTIONS, Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

READERS = 60
LONG_BODY = "\n\n".join("It goes on and on. " * 12 for _ in range(800))


@dataclass
class Scene:
    """One campaign on its way into a kill."""

    line: Line
    campaign: Campaign
    keeper: Keeper[MailServer]
    rows: list[int] = field(default_factory=list)

    def is_handed_over(self) -> bool:
        """Whether something of it is being handed over."""
        return Delivery.objects.filter(mailing=self.campaign, state="handing_over").exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from changing its deliveries."""
        with psycopg.connect(database_url()) as other:
            other.execute(
                "SELECT 1 FROM newsletter_delivery WHERE mailing_id = %s FOR UPDATE",
                [self.campaign.pk],
            )
            yield
            other.rollback()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for the moment, and a little more so that the worker is well into it."""
        wait_until(is_so, 20, self.line.logs)
        time.sleep(0.3)


def under_a_lease(scene: Scene) -> None:
    """Kill when the range is taken and its hand-over has not been written."""
    with scene.locked():
        scene.line.start_bulk()
        scene.until(Lease.objects.filter(mailing=scene.campaign).exclude(attempt=None).exists)
        scene.line.kill("bulk")


def after_hand_over(scene: Scene) -> None:
    """Kill when a window is handed over and the server has not yet taken one MAIL."""
    scene.line.start_bulk()
    scene.until(scene.is_handed_over)
    scene.line.kill("bulk")


def in_mid_data(scene: Scene) -> None:
    """Kill when bodies are asked for and the server reads no further."""
    scene.line.start_bulk()
    scene.until(lambda: bool(scene.keeper.mail.at("begun")))
    scene.line.kill("bulk")


def before_250(scene: Scene) -> None:
    """Kill when the server has taken some and not yet said so."""
    scene.line.start_bulk()
    scene.until(lambda: scene.keeper.mail.count() > 0)
    scene.line.kill("bulk")


def after_250_before_settling(scene: Scene) -> None:
    """Kill when everything answered waits for the ledger."""
    scene.line.start_bulk()
    wait_until(scene.is_handed_over, 20, scene.line.logs)
    with scene.locked():
        scene.until(lambda: scene.keeper.mail.count() > 0)
        wait_until_still(scene)
        scene.line.kill("bulk")


def wait_until_still(scene: Scene) -> None:
    """Wait until for half a second the server has taken and the worker has noted nothing more."""
    journals = Path(scene.line.environment["HEED_NOTES_FOLDER"])
    before: tuple[int, int] | None = None
    while before != (before := (scene.keeper.mail.count(), size_of(journals))):
        time.sleep(0.5)


def size_of(folder: Path) -> int:
    """Return how many bytes the files of a folder have."""
    return sum(path.stat().st_size for path in folder.iterdir())


def none_unknown(books: Books) -> None:
    """Nobody's body had been asked for, or every answer was noted."""
    assert books.of("unknown") == set()


def those_in_flight(books: Books) -> None:
    """What was on a wire, and no more."""
    assert 0 < len(books.of("unknown")) <= 2 * CONNECTIONS


def those_taken_silently(books: Books) -> None:
    """What the server had taken without saying so, one on each wire."""
    assert 0 < len(books.of("unknown")) <= CONNECTIONS
    assert books.of("unknown") <= set(books.accepted)


STEPS: dict[str, tuple[str, Callable[[Scene], None], Callable[[Books], None], str]] = {
    "under a lease": ("well", under_a_lease, none_unknown, ""),
    "after hand-over": ("stalls at MAIL", after_hand_over, none_unknown, ""),
    "in mid-DATA": ("stalls in DATA", in_mid_data, those_in_flight, LONG_BODY),
    "taken, before 250": ("stalls at the end", before_250, those_taken_silently, ""),
    "after 250, before settling": (
        "hesitates at MAIL", after_250_before_settling, none_unknown, ""
    ),
}  # fmt: skip


def test_a_kill_at_any_step_leaves_only_what_was_in_flight_unknown(
    line: Line, cast: Cast, note: Note
) -> None:
    """C-3, C-4: what never was on the wire goes again, what was answered is known."""
    add_readers(cast, READERS)
    line.start_letters()
    line.start_beat()
    killed: list[tuple[str, Scene]] = []
    for _ in range(lasting(1, 3)):
        for step, (mood, kill, _, body) in STEPS.items():
            server = line.moody(mood)
            overrides = {"body": body} if body else {}
            campaign = cast.campaign(sender=sender_to(cast, server), **overrides)
            lifecycle.send_now(mailing=campaign, staff=None)
            staging.stage_due()
            scene = Scene(line, campaign, Keeper(campaign, server))
            kill(scene)
            server.ask("XMOOD well")
            killed.append((step, scene))
            lifecycle.pause(mailing=campaign, staff=None)
    for _, scene in killed:
        lifecycle.resume(mailing=scene.campaign, staff=None)
    line.start_bulk()
    wrong = {}
    for step, scene in killed:
        line.wait_until_nothing_goes(scene.campaign, patience=lasting(20, 60))
        books = scene.keeper.books()
        said_wrong = found_wrong(step, books)
        note(f"kill -9 {step}", holds=not said_wrong, **books.row())
        if said_wrong:
            wrong[step] = said_wrong
    assert wrong == {}


def found_wrong(step: str, books: Books) -> str:
    """Return what does not hold for one step, or nothing."""
    try:
        assert books.wrong == {}
        assert books.of("sent") | books.of("unknown") == set(books.entries)
        STEPS[step][2](books)
    except AssertionError as fault:
        return str(fault)
    return ""


def test_a_machine_gone_for_good_leaves_its_window_unknown_and_no_more(
    line: Line, cast: Cast, note: Note
) -> None:
    """C-3: nobody can read its notes, so once its lease is over people decide about the window."""
    add_readers(cast, 5 * READERS)
    line.start_letters()
    line.start_beat()
    server = line.moody("stalls at the end")
    campaign = cast.campaign(sender=sender_to(cast, server))
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage_due()
    scene = Scene(line, campaign, Keeper(campaign, server))
    line.kill("letters")  # or it would read the notes before they are gone
    before_250(scene)
    handed_over = scene.keeper.books().of("handing_over")
    shutil.rmtree(line.environment["HEED_NOTES_FOLDER"])
    Lease.objects.filter(mailing=campaign).exclude(attempt=None).update(until=Now())
    server.ask("XMOOD well")
    line.start_letters()
    line.start_bulk()
    line.wait_until_nothing_goes(campaign, patience=20)
    books = scene.keeper.books()
    note("kill -9, and the machine is gone for good", **books.row())
    assert books.lost == books.doubled == set()
    assert books.of("unknown") == handed_over
    assert len(handed_over) < len(books.entries) / 2
    assert books.of("sent") == set(books.entries) - handed_over
