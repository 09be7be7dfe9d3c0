"""A provider's API misbehaves: every delivery ends in the right state, in its words."""

import json
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from newsletter.mailings import lifecycle
from newsletter.models import Sender
from tests.cast import Cast, make_sender
from tests.faults import provider
from tests.faults.books import Books, Keeper
from tests.faults.conftest import add_readers, let_time_pass
from tests.faults.patience import TIME_LIMIT, lasting, wait_until
from tests.faults.provider import BAD, Mood, Provider
from tests.faults.table import Note
from tests.faults.workers import Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

READERS = lasting(160, 1_000)


def all_sent(books: Books) -> None:
    """Everybody got it."""
    assert books.of("sent") == set(books.entries) == set(books.accepted)


def the_inactive_failed(books: Books) -> None:
    """Those named in the answer have failed, in its words; the others are sent."""
    failed = books.of("failed")
    assert failed == {who for who in books.entries if who.startswith("reader1")}
    assert {"marked as inactive" in books.entries[who].answer for who in failed} == {True}
    assert books.of("sent") | failed == set(books.entries)


def the_bad_failed(books: Books) -> None:
    """The bad addresses alone have failed; nobody suffers for being in a batch with them."""
    failed = books.of("failed")
    assert failed == {who for who in books.entries if who.startswith(BAD)}
    assert all("Invalid `to`" in books.entries[who].answer for who in failed)
    assert books.of("sent") | failed == set(books.entries)


def one_batch_unknown(books: Books) -> None:
    """What the silent call carried was taken, and is unknown: this provider knows no keys."""
    assert 0 < len(books.of("unknown")) < len(books.entries)
    assert books.of("unknown") | books.of("sent") == set(books.entries) == set(books.accepted)


class Case(NamedTuple):
    """One provider with a mood, and what must come of it."""

    name: str
    mood: Mood
    expected: Callable[[Books], None]
    thinks: float = 0.0
    """Seconds before each answer."""


CASES = {
    "provider: 200 with partial refusals": Case(
        "postmark", provider.refuses_some, the_inactive_failed
    ),
    "provider: 400 for one bad address in a batch": Case(
        "resend", provider.refuses_the_whole_for_one, the_bad_failed, 0.3
    ),
    "provider: 401": Case("postmark", provider.knows_no_key, all_sent),
    "provider: 429 with Retry-After": Case("postmark", provider.asks_for_a_rest, all_sent),
    "provider: 500": Case("postmark", provider.breaks, all_sent),
    "provider: silent after acceptance": Case("postmark", provider.falls_silent, one_batch_unknown),
    "provider: silent after acceptance, with a key": Case(
        "resend", provider.falls_silent, all_sent
    ),
}


@pytest.fixture
def providers() -> Iterator[dict[str, Provider]]:
    """Start one provider for each case."""
    started = {
        fault: Provider(case.name, case.mood, thinks=case.thinks) for fault, case in CASES.items()
    }
    yield started
    for server in started.values():
        server.api.stop()


def test_every_delivery_ends_in_the_right_state_with_the_providers_words(
    line: Line, cast: Cast, note: Note, providers: dict[str, Provider]
) -> None:
    """A-6 to A-8, A-13, C-3: each provider in its own way, all at once, by the same workers."""
    add_readers(cast, READERS)
    keepers = {fault: begin(cast, fault, providers[fault]) for fault in CASES}
    line.start_workers(children=4)
    mend_the_key(line, keepers["provider: 401"], providers["provider: 401"])
    wrong = {}
    for fault, keeper in keepers.items():
        line.wait_until_nothing_goes(keeper.mailing, patience=lasting(40, 300))
        if fault == "provider: 500":
            come_again(line, keeper, providers[fault])
        if fault == "provider: 429 with Retry-After":
            wait_until(lambda: time.time() - providers[fault].refused_at > 3.5, 10, line.logs)  # noqa: B023
            let_time_pass(keeper.mailing)
            line.wait_for(keeper.mailing, "sent", patience=30)
        books = keeper.books()
        wrong[fault] = found_wrong(books, CASES[fault].expected)
        note(fault, holds=not wrong[fault], **books.row())
    assert {fault: breach for fault, breach in wrong.items() if breach} == {}
    rested = providers["provider: 429 with Retry-After"]
    after = [event.at - rested.refused_at for event in rested.events]
    # Calls already begun side by side, and other processes, end within a second.
    assert [seconds for seconds in after if 1 < seconds < 3] == [], "it was not left alone"
    assert max(after) >= 3


def begin(cast: Cast, fault: str, server: Provider) -> Keeper[Provider]:
    """Start a campaign that leaves through one provider."""
    sender = make_sender(
        cast.client,
        name=fault,
        transport="provider",
        provider=server.name,
        credentials=json.dumps(server.credentials),
        is_default=False,
    )
    campaign = cast.campaign(sender=sender)
    keeper = Keeper(campaign, server)
    lifecycle.send_now(mailing=campaign, staff=None)
    return keeper


def mend_the_key(line: Line, keeper: Keeper[Provider], server: Provider) -> None:
    """Wait until the campaign is paused in the provider's words, then do what a person would."""
    campaign = keeper.mailing

    def is_paused() -> bool:
        campaign.refresh_from_db(fields=["state", "waiting_reason"])
        return campaign.state == "paused"

    wait_until(is_paused, 30, line.logs)
    assert "Bad or missing Server API token" in campaign.waiting_reason
    assert not any(event.what == "accepted" for event in server.events)
    sender = Sender.objects.get(pk=campaign.sender_id)
    assert sender.stopped_at is not None
    server.mood = provider.well
    sender.stopped_at, sender.stopped_reason = None, ""
    sender.save(update_fields=["stopped_at", "stopped_reason", "updated_at"])
    lifecycle.resume(mailing=campaign, staff=None)


def come_again(line: Line, keeper: Keeper[Provider], server: Provider) -> None:
    """See what was put off, in the provider's words; then let the time pass until it goes again."""
    later = [entry for entry in keeper.books().entries.values() if entry.state == "deferred"]
    assert later and {(entry.code, "Internal server error" in entry.answer) for entry in later} == {
        (500, True)
    }
    server.mood = provider.well
    let_time_pass(keeper.mailing)
    line.wait_for(keeper.mailing, "sent", patience=20)


def found_wrong(books: Books, expected: Callable[[Books], None]) -> str:
    """Return what does not hold, or nothing."""
    try:
        assert books.wrong == {}
        expected(books)
    except AssertionError as fault:
        return str(fault)
    return ""
