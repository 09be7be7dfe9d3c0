"""Clocks that jump: of single workers, and everybody's in spring and autumn."""

import struct
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils.timezone import now

from newsletter.mailings import lifecycle
from newsletter.models import Campaign, Lease
from tests.cast import Cast, make_staff
from tests.faults.books import Keeper
from tests.faults.conftest import add_readers, sender_to
from tests.faults.patience import TIME_LIMIT, lasting, wait_until
from tests.faults.table import Note
from tests.faults.workers import Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

AHEAD, BEHIND = ("clock=300",), ("clock=-300",)


def test_workers_five_minutes_apart_share_a_campaign_and_start_it_on_time(
    line: Line, cast: Cast, note: Note
) -> None:
    """AT-C8, C-13: what is due and who holds what is told by the database's clock."""
    add_readers(cast, lasting(3_000, 15_000))
    line.start_mail(per_second=400)
    line.start_bulk("ahead", odd=AHEAD)
    line.start_bulk("behind", odd=BEHIND)
    line.start_letters("letters ahead", odd=AHEAD)
    line.start_letters("letters behind", odd=BEHIND)
    line.start_beat()
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    due = now() + timedelta(seconds=6)
    lifecycle.schedule(mailing=campaign, at=due, staff=None)
    wait_until(lambda: line.mail.count() > 0, 30, line.logs)
    started = min(event.at for event in line.mail.seen() if event.what == "accepted")
    workers: set[str] = set()
    leases = Lease.objects.filter(mailing=campaign).exclude(worker="")

    def is_over() -> bool:
        workers.update(leases.values_list("worker", flat=True))
        campaign.refresh_from_db(fields=["state", "staged"])
        return campaign.state == "sent"

    wait_until(is_over, lasting(30, 120), line.logs)
    books = keeper.books()
    note("workers five minutes ahead and behind", times=4, **books.row())
    assert 0 <= started - due.timestamp() < 60, "it did not start on time"
    assert len(workers) == 2, "one worker sent it all: nothing was shared"
    assert books.wrong == {}
    assert books.of("sent") == set(books.entries)


@pytest.fixture
def zones(tmp_path: Path) -> Iterator[Path]:
    """Return a folder from which the time zones of this process are read, real ones after it."""
    before = zoneinfo.TZPATH
    folder = tmp_path / "zones"
    folder.mkdir()
    zoneinfo.reset_tzpath([str(folder), *before])
    zoneinfo.ZoneInfo.clear_cache()
    yield folder
    zoneinfo.reset_tzpath(before)
    zoneinfo.ZoneInfo.clear_cache()


def make_zone(path: Path, *, change: datetime, before: int, after: int) -> zoneinfo.ZoneInfo:
    """Write a zone whose clocks change at a moment, offsets in hours (RFC 8536, version 1)."""
    types = struct.pack(">lbblbb", before * 3600, 0, 0, after * 3600, 1, 4)
    path.write_bytes(
        struct.pack(">4s16x6l", b"TZif", 0, 0, 0, 1, 2, 8)
        + struct.pack(">lB", int(change.timestamp()), 1)
        + types
        + b"ONE\0TWO\0"
    )
    return zoneinfo.ZoneInfo(path.name)


def test_a_campaign_scheduled_across_a_change_of_clocks_goes_once_at_the_local_time(
    line: Line, cast: Cast, note: Note, zones: Path
) -> None:
    """The page, the ledger and the real timetable, while the client's clocks change."""
    add_readers(cast, 100)
    line.start_workers()
    browser = signed_in(cast)
    due = now().replace(microsecond=0) + timedelta(seconds=7)
    spring = make_zone(zones / "Spring", change=due - timedelta(seconds=4), before=1, after=2)
    autumn = make_zone(zones / "Autumn", change=due + timedelta(seconds=4), before=2, after=1)
    keepers = []
    for zone in (spring, autumn):
        server = line.moody("well")
        campaign = cast.campaign(sender=sender_to(cast, server))
        keepers.append(Keeper(campaign, server))
        cast.client.time_zone = zone.key
        cast.client.save()
        local = f"{due.astimezone(zone):%Y-%m-%dT%H:%M:%S}"
        browser.post(address("schedule", campaign), {"seen_version": 0, "at": local})
        campaign.refresh_from_db()
        assert campaign.state == "scheduled" and campaign.scheduled_at == due
    for keeper in keepers:
        line.wait_for(keeper.mailing, "sent", patience=30)
    for season, keeper in zip(("spring", "autumn"), keepers, strict=True):
        books = keeper.books()
        note(f"clocks changed in {season}", **books.row())
        began = min(keeper.mail.at("accepted").values()) - due.timestamp()
        assert 0 <= began < 60, "not at the local time"
        assert books.wrong == {}
        assert books.of("sent") == set(books.entries) == set(books.expected)


def signed_in(cast: Cast) -> Browser:
    """Return the browser of somebody who may schedule."""
    staff, browser = make_staff("mara", client=cast.client), Browser()
    browser.force_login(staff)
    return browser


def address(step: str, campaign: Campaign) -> str:
    """Return where a step of a campaign is."""
    return reverse(f"admin:newsletter_campaign_{step}", args=[campaign.pk])
