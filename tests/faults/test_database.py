"""PostgreSQL cuts connections, is restarted or killed: the line resumes by itself."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from local.postgres import Postgres
from newsletter.mailings import lifecycle
from tests.cast import Cast
from tests.faults.books import Keeper
from tests.faults.conftest import add_readers
from tests.faults.patience import TIME_LIMIT, lasting, wait_until, wait_until_more
from tests.faults.table import Note
from tests.faults.workers import CONNECTIONS, Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

PACE = 300


def cut() -> int:
    """End every connection to this database but our own; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def test_connections_cut_again_and_again_lose_and_double_nothing(
    line: Line, cast: Cast, note: Note
) -> None:
    """The ledger cannot be written for a moment; what the server said is not forgotten."""
    times = lasting(6, 30)
    add_readers(cast, PACE * times)
    line.start_mail(PACE)
    line.start_workers()
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    lifecycle.send_now(mailing=campaign, staff=None)
    dice = random.Random()
    for _ in range(times):
        before = line.mail.count()
        wait_until_more(line.mail.count, before, 30, line.logs)
        time.sleep(dice.uniform(0.0, 0.5))
        wait_until(lambda: cut() > 0, 10, line.logs)
    assert line.mail.count() < len(keeper.people) - 10, "it was over before"
    line.mail.ask("XPACE 0")
    line.wait_until_nothing_goes(campaign, patience=lasting(30, 120))
    books = keeper.books()
    note("PostgreSQL connections cut", times=times, **books.row())
    assert books.wrong == {}
    # The worker lives: it has read every answer, and its notes tell them.
    assert books.of("unknown") == set()
    assert books.of("sent") == set(books.entries)


def restart_fast(server: Postgres, log: Path) -> None:
    """Stop it as an upgrade does: every session is ended, all is written."""
    assert server.process is not None
    server.process.send_signal(signal.SIGINT)
    server.process.wait(20)
    server.start(log)


def restart_immediately(server: Postgres, log: Path) -> None:
    """Stop it as a crash does: nothing is written, the log is played again."""
    assert server.process is not None
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(20)
    server.start(log)


def kill_a_backend(server: Postgres, log: Path) -> None:
    """kill -9 of one backend: the server ends all others and recovers by itself."""

    def killed() -> bool:
        for victim in others()[:1]:
            os.kill(victim, signal.SIGKILL)
            return True
        return False

    wait_until(killed, 10, log.read_text)


def others() -> list[int]:
    """Return the processes that serve the line's connections."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def kill_the_postmaster(server: Postgres, log: Path) -> None:
    """kill -9 of the server itself."""
    assert server.process is not None
    server.process.kill()
    server.process.wait(20)
    server.start(log)


RESTARTS: tuple[Callable[[Postgres, Path], None], ...] = (
    restart_fast,
    restart_immediately,
    kill_a_backend,
    kill_the_postmaster,
)


def test_a_restarted_server_is_found_again_and_nothing_is_lost(
    own_postgres: Postgres, line: Line, cast: Cast, note: Note, tmp_path: Path
) -> None:
    """The line waits for its database and goes on where the ledger stands."""
    rounds = lasting(1, 3)
    add_readers(cast, PACE * 8 * rounds)
    line.start_mail(PACE)
    line.start_workers()
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    lifecycle.send_now(mailing=campaign, staff=None)
    for restart in RESTARTS * rounds:
        before = line.mail.count()
        wait_until_more(line.mail.count, before + 30, 30, line.logs)
        restart(own_postgres, tmp_path / "postgres.log")
        connection.close()
        time.sleep(0.3)
    assert line.mail.count() < len(keeper.people) - 10, "it was over before"
    line.mail.ask("XPACE 0")
    wait_until(is_there, 10, line.logs)
    line.wait_until_nothing_goes(campaign, patience=lasting(30, 60))
    books = keeper.books()
    note("PostgreSQL restarted or killed", times=len(RESTARTS) * rounds, **books.row())
    assert books.wrong == {}
    assert len(books.of("unknown")) <= len(RESTARTS) * rounds * CONNECTIONS
    assert books.of("sent") | books.of("unknown") == set(books.entries)


def is_there() -> bool:
    """Whether the database answers us."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        connection.close()
        return False
    return True
