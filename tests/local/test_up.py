"""One command up: what dies comes back, what is stopped is gone."""

import os
import re
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import randrange
from urllib.request import urlopen

import pytest

from local.ports import hold_port
from local.postgres import Postgres
from local.up import Up

ROOT = Path(__file__).resolve().parents[2]
OURS = ("HEED_", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DJANGO_", "PYTEST_")
pytestmark = pytest.mark.timeout(240)


class Running:
    """One `python -m local` over one data folder, and what it says."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.web_port = data, port
        self.screen = data.parent / f"said-{time.monotonic_ns()}"
        with self.screen.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", "--data", str(data), "--port", str(port)],
                cwd=ROOT,
                env={n: v for n, v in os.environ.items() if not n.startswith(OURS)},
                stdout=out,
                stderr=out,
            )

    def said(self) -> str:
        return self.screen.read_text()

    def wait_until_up(self) -> "Running":
        until(lambda: "Heed is running" in self.said() or self.process.poll() is not None, 90)
        match = re.search(r"Staff +http://127.0.0.1:(\d+)/", self.said())
        assert match, self.said()
        self.web_port = int(match[1])
        return self

    def smtp_port(self) -> int:
        """Return where the catcher of now listens."""
        command = next(command for command in self.family().values() if "--smtp-port" in command)
        return int(command.partition("--smtp-port ")[2].split()[0])

    def family(self) -> dict[int, str]:
        """Return every process it started, and those they started: id → command."""
        commands: dict[int, str] = {}
        ours = {self.process.pid}
        for _ in range(4):
            commands |= children(ours)
            ours |= set(commands)
        return commands

    def one(self, part: str) -> int | None:
        """Return the child whose command has that part."""
        commands = children({self.process.pid}).items()
        return next((pid for pid, command in commands if part in command), None)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def children(parents: set[int]) -> dict[int, str]:
    command_line = ["ps", "-ww", "-eo", "pid=,ppid=,args="]
    rows = [
        line.split(None, 2)
        for line in subprocess.check_output(command_line, text=True).splitlines()
    ]
    return {int(pid): command for pid, parent, command in rows if int(parent) in parents}


def until(is_so: Callable[[], bool], patience: float) -> None:
    deadline = time.monotonic() + patience
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def takes_mail(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as line:
            return line.noop()[0] == 250
    except OSError:
        return False


@pytest.fixture(scope="module")
def heed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running system with ports of its own."""
    running = Running(
        tmp_path_factory.mktemp("up") / "a folder", hold_port(randrange(19_000, 30_000)).release()
    )
    try:
        yield running.wait_until_up()
    finally:
        if running.process.poll() is None:
            running.stop()
        forget(running.data)


def forget(data: Path) -> None:
    command_line = [sys.executable, "-m", "local", "forget", "--data", str(data)]
    subprocess.run(command_line, cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("PostgreSQL", "/bin/postgres -D"),
        ("Valkey", "-server 127.0.0.1"),
        ("mail catcher", "local.catcher"),
        ("web", "granian"),
        ("worker for letters and notices", "-Q letters"),
        ("worker for campaigns and events", "-Q bulk"),
        ("timetable", "celery -A config beat"),
    ],
)
def test_a_killed_child_comes_back(heed: Running, name: str, part: str) -> None:
    killed = heed.one(part)
    assert killed
    os.kill(killed, signal.SIGKILL)
    until(lambda: heed.one(part) not in (killed, None), 20)
    assert heed.one(part) not in (killed, None)
    assert f"{name} has stopped" in heed.said()
    until(lambda: answers(heed.web_port) and takes_mail(heed.smtp_port()), 30)
    assert answers(heed.web_port)
    assert takes_mail(heed.smtp_port())


def test_a_second_start_says_where_the_first_one_runs(heed: Running) -> None:
    second = Running(heed.data, heed.web_port)
    assert second.process.wait(20) == 0
    assert "already running" in second.said()
    assert f"http://127.0.0.1:{heed.web_port}/admin/" in second.said()
    assert answers(heed.web_port)


def test_what_runs_is_not_forgotten(heed: Running) -> None:
    command_line = [sys.executable, "-m", "local", "forget", "--data", str(heed.data)]
    done = subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "stop it" in done.stdout
    assert (heed.data / "keys.env").exists()


def test_a_taken_port_is_stepped_over_and_ctrl_c_leaves_nothing(heed: Running) -> None:
    other = Running(heed.data.parent / "other", heed.web_port).wait_until_up()
    assert f"Port {heed.web_port} is taken" in other.said()
    family = other.family()
    began = time.monotonic()
    assert other.stop() == 0
    assert time.monotonic() - began < 15
    assert [command for pid, command in family.items() if is_there(pid)] == []
    forget(other.data)
    assert not other.data.exists()


def test_a_killed_supervisor_takes_all_with_it_and_the_next_start_goes_on(heed: Running) -> None:
    data = heed.data.parent / "third"
    first = Running(data, hold_port(randrange(19_000, 30_000)).release()).wait_until_up()
    family = first.family()
    first.process.kill()
    first.process.wait()
    until(lambda: not any(map(is_there, family)), 20)
    assert [command for pid, command in family.items() if is_there(pid)] == []
    again = Running(data, first.web_port).wait_until_up()
    assert answers(first.web_port)
    assert again.stop() == 0
    forget(data)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Up, Up]]:
    """Return two that were told to start at the same moment, with one port wished for by both."""
    port = hold_port(randrange(19_000, 30_000)).release()
    first, second = Up(tmp_path / "a", port=port), Up(tmp_path / "b", port=port)
    yield first, second
    first.stop()
    second.stop()


def test_two_that_start_at_once_share_no_port(two: tuple[Up, Up]) -> None:
    ports = [port.number for one in two for port in one.ports]
    assert len(set(ports)) == 6


def test_a_database_left_behind_by_a_removed_folder_is_noticed_with_the_way_out(
    two: tuple[Up, Up], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def manage(*arguments: str) -> None:
        raise RuntimeError(f"{arguments[0]} failed:\nHEED_ADDRESS_KEY: version 1 is another key")

    everything = two[0]
    monkeypatch.setattr(everything, "_manage", manage)
    everything.postgres = Postgres(tmp_path / "a")
    with pytest.raises(RuntimeError, match="HEED_ADDRESS_KEY") as fault:
        everything._check_keys()
    assert str(everything.postgres.cluster) in str(fault.value)
    assert "`make clean`" in str(fault.value)
    everything.postgres.forget()
