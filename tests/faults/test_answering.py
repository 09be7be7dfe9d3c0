"""A mail server misbehaves: every delivery ends in the right state, with the server's words."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from newsletter.mailings import lifecycle
from newsletter.models import Mailing
from tests.cast import Cast
from tests.faults.books import Books, Entry, Keeper
from tests.faults.conftest import add_readers, email_url, let_time_pass, sender_to
from tests.faults.mail import MailServer
from tests.faults.patience import TIME_LIMIT, lasting, wait_until
from tests.faults.table import Note
from tests.faults.workers import CONNECTIONS, Line
from tests.newsletter.transports.conftest import Authority

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

READERS = lasting(120, 1_000)
PATIENCE = 2
"""Seconds the installation's own server has for its answer to the end of the data."""


def all_sent(books: Books) -> None:
    """Whatever it did, everybody got it."""
    assert books.of("sent") == set(books.entries) == set(books.accepted)


def some_silently(books: Books) -> None:
    """What was taken without an answer is unknown, the rest sent."""
    assert 0 < len(books.of("unknown")) <= len(books.entries) / 10
    assert books.of("unknown") | books.of("sent") == set(books.entries) == set(books.accepted)
    assert all(books.entries[who].answer for who in books.of("unknown"))


def some_dropped(books: Books) -> None:
    """What was out when the connection fell is unknown, and indeed was not taken."""
    assert 0 < len(books.of("unknown")) <= len(books.entries) / 8
    assert books.of("unknown") | books.of("sent") == set(books.entries)
    assert books.of("unknown").isdisjoint(books.accepted)


def codes_of(entries: list[Entry], phrase: str) -> set[tuple[int | None, bool]]:
    """Return the codes of some, each with whether the phrase stands beside it."""
    return {(entry.code, phrase in entry.answer) for entry in entries}


def one_in_ten_failed(books: Books) -> None:
    """Who does not exist has failed in the server's words, once and for all."""
    failed = [books.entries[who] for who in books.of("failed")]
    assert len(books.entries) / 12 <= len(failed) <= len(books.entries) / 8
    assert codes_of(failed, "no such person here") == {(550, True)}
    assert books.of("failed") | books.of("sent") == set(books.entries)


def a_third_later(books: Books) -> None:
    """Who was put off waits, in the server's words."""
    later = [books.entries[who] for who in books.of("deferred")]
    assert len(books.entries) / 5 <= len(later) <= len(books.entries) / 2
    assert codes_of(later, "please come again later") == {(451, True)}
    assert books.of("deferred") | books.of("sent") == set(books.entries)


def some_too_late(books: Books) -> None:
    """What was answered when nobody listened any more is unknown, and is not sent again."""
    some_silently(books)
    assert {books.entries[who].answer for who in books.of("unknown")} == {"no answer in time"}


def a_few_unknown(books: Books) -> None:
    """What was on a wire when the server died is unknown."""
    assert len(books.of("unknown")) <= CONNECTIONS
    assert books.of("unknown") | books.of("sent") == set(books.entries)


TOO_LATE = "answers 250 when nobody waits any more"
LATE = lasting("answers 250 after 4 s", "answers 250 after 90 s")
EXPECTED: dict[str, Callable[[Books], None]] = {
    "451 on every third": a_third_later,
    "550 on every tenth": one_in_ten_failed,
    "421 after each 20 messages": all_sent,
    "accepts and closes without answering": some_silently,
    "garbage": some_silently,
    "very slow bytes": all_sent,
    "drops STARTTLS in the middle": some_dropped,
    "drops TLS in the middle": some_dropped,
    "down at the start": all_sent,
    "down in the middle": a_few_unknown,
    LATE: all_sent,
    TOO_LATE: some_too_late,
}
SECURITY = {"drops STARTTLS in the middle": "starttls", "drops TLS in the middle": "tls"}


@dataclass
class Case:
    """One misbehaving server and the campaign that leaves through it."""

    mood: str
    keeper: Keeper[MailServer]

    @property
    def campaign(self) -> Mailing:
        """Return the campaign."""
        return self.keeper.mailing


STARTED_AS = {
    "down at the start": "well",
    "down in the middle": "stalls at the end",
    TOO_LATE: "answers 250 after 4 s",
}


def begin(line: Line, cast: Cast, mood: str) -> Case:
    """Start a server with a mood, and a campaign that leaves through it.

    Only the installation's own server can be told a patience: it is the one that is too late.
    """
    server = line.moody(STARTED_AS.get(mood, mood), listening=mood != "down at the start")
    if mood == TOO_LATE:
        line.environment["EMAIL_URL"] = email_url(server.port, end_of_data=PATIENCE)
        sender = cast.sender
    else:
        sender = sender_to(cast, server, security=SECURITY.get(mood, "none"))
    return Case(mood, Keeper(cast.campaign(sender=sender), server))


@pytest.fixture
def certified(line: Line, tmp_path: Path) -> Line:
    """Return the line with a certificate its mail servers show and its workers trust."""
    authority = Authority(tmp_path)
    authority.context(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    line.certificate = str(next(tmp_path.glob("server-*.pem")))
    line.environment["SSL_CERT_FILE"] = str(authority.file)
    return line


def test_every_delivery_ends_in_the_right_state_with_the_servers_words(
    certified: Line, cast: Cast, note: Note
) -> None:
    """B-7, C-3, AT-C5: each server in its own way, all at once; no one harms another."""
    line = certified
    add_readers(cast, READERS)
    cases = [begin(line, cast, mood) for mood in EXPECTED]
    for case in cases:
        lifecycle.send_now(mailing=case.campaign, staff=None)
    line.start_workers(children=4)
    revive(line, cases)
    wrong = {}
    for case in cases:
        line.wait_until_nothing_goes(case.campaign, patience=lasting(40, 900))
        books = case.keeper.books()
        wrong[case.mood] = found_wrong(books, EXPECTED[case.mood])
        if case.mood == "451 on every third":
            wrong["later"] = found_wrong(come_again(line, case), all_sent)
        note(case.mood, holds=not wrong[case.mood], **books.row())
    assert {mood: fault for mood, fault in wrong.items() if fault} == {}


def revive(line: Line, cases: list[Case]) -> None:
    """Bring up what was down at the start; take down and bring up what is to fail in the middle."""
    by_mood = {case.mood: case for case in cases}
    absent, dying = by_mood["down at the start"], by_mood["down in the middle"]
    wait_until(lambda: dying.keeper.mail.count() > 0, 30, line.logs)
    dying.keeper.mail.kill()
    wait_until(lambda: waits(absent) and waits(dying), 30, line.logs)
    absent.keeper.mail.start()
    dying.keeper.mail.start()
    dying.keeper.mail.ask("XMOOD well")


def waits(case: Case) -> bool:
    """Whether a mailing says that it waits for its mail server, and until when."""
    case.campaign.refresh_from_db(fields=["waiting_reason", "waiting_until"])
    return "mail server" in case.campaign.waiting_reason and bool(case.campaign.waiting_until)


def come_again(line: Line, case: Case) -> Books:
    """Let the time pass after which deferred mail is tried again, until all is over."""
    case.keeper.mail.ask("XMOOD well")
    let_time_pass(case.campaign)
    line.wait_for(case.campaign, "sent", patience=20)
    return case.keeper.books()


def found_wrong(books: Books, expected: Callable[[Books], None]) -> str:
    """Return what does not hold, or nothing."""
    try:
        assert books.wrong == {}
        expected(books)
    except AssertionError as fault:
        return str(fault)
    return ""
