"""The embedded PostgreSQL."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.postgres import DURABLE, FOR_TESTS, Postgres, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    """Return a server whose data folder has a space in its name."""
    server = Postgres(tmp_path / "a folder" / "data", options=FOR_TESTS)
    yield server
    server.stop()
    server.forget()


def start(server: Postgres) -> None:
    server.start(server.data / "postgres.log")
    server.create()


def test_it_is_postgresql_18_in_a_path_with_spaces_and_listens_on_no_port(server: Postgres) -> None:
    start(server)
    with psycopg.connect(server.url()) as line:
        assert line.info.server_version // 10_000 == 18
        addresses = line.execute("SELECT current_setting('listen_addresses')").fetchone()
        assert addresses == ("",)


def test_its_socket_lies_in_a_short_folder_only_its_owner_enters(server: Postgres) -> None:
    start(server)
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert len(str(server.sockets / ".s.PGSQL.5432")) <= 100


def test_no_existing_folder_changes_its_mode_or_owner(tmp_path: Path) -> None:
    home = tmp_path / "private"
    home.mkdir(mode=0o700)
    above = [home, tmp_path, Path("/tmp"), Path("/var/tmp"), Path.home()]
    before = [(folder.stat().st_mode, folder.stat().st_uid) for folder in above]
    with running(home / "data", options=FOR_TESTS):
        pass
    assert [(folder.stat().st_mode, folder.stat().st_uid) for folder in above] == before


def test_a_killed_server_starts_again_with_what_was_committed(server: Postgres) -> None:
    server.options = DURABLE
    start(server)
    with psycopg.connect(server.url(), autocommit=True) as line:
        line.execute("CREATE TABLE kept AS SELECT 1 AS one")
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    start(server)
    with psycopg.connect(server.url()) as line:
        assert line.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_server_left_by_another_start_is_ended_first(server: Postgres) -> None:
    start(server)
    left, second = server.process, Postgres(server.data, options=FOR_TESTS)
    assert left is not None
    second.start(server.data / "postgres.log")
    assert left.wait(5) == 0
    assert second.sockets == server.sockets
    second.stop()


def test_it_runs_for_a_while_and_leaves_no_socket_folder(tmp_path: Path) -> None:
    with running(tmp_path / "data", options=FOR_TESTS) as url:
        folder = Path(url.partition("host=")[2])
        with psycopg.connect(url) as line:
            assert line.execute("SELECT 1").fetchone() == (1,)
    assert not folder.exists()
