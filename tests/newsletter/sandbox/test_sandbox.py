"""What a person typed is worked on in a process that may break (A1).

Mirrors several: newsletter/sandbox/pool.py, newsletter/sandbox/process.py,
newsletter/sandbox/child.py, newsletter/sandbox/jobs.py, newsletter/sandbox/errors.py.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from newsletter import sandbox
from newsletter.content.errors import SourceErrors
from newsletter.rendering import inert_preview
from newsletter.sandbox import pool, process
from newsletter.sandbox.errors import SENTENCES
from newsletter.sandbox.process import Sandbox
from tests.newsletter import mails


@pytest.fixture
def bad(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the sandboxes know jobs that no mail asks for (bad_jobs)."""
    pool.close()
    monkeypatch.setattr(pool, "Sandbox", lambda: Sandbox("tests.newsletter.sandbox.bad_jobs"))
    yield
    pool.close()


def test_a_mail_is_the_same_made_here_or_there() -> None:
    source = mails.source(locale="en", preheader="Ünïcode 🐓")
    here = mails.compile_mail(source)
    assert sandbox.compile_mail(source) == here
    glance = sandbox.look(mails.ada(), source=source)
    made = inert_preview.preview(here, mails.ada())
    assert (glance.made.subject, glance.made.html, glance.made.text) == made[:3]
    assert "Hello Ada" in glance.visible.text
    assert glance.unknown_variables == []


def test_faults_come_back_with_their_places() -> None:
    with pytest.raises(SourceErrors) as caught:
        sandbox.compile_mail(mails.source(body="a\n{{ x | nonsense }}"))
    assert not isinstance(caught.value, sandbox.UsedUp)
    assert [(fault.field, fault.line) for fault in caught.value.faults] == [("body", 2)]


def test_a_sandbox_knows_no_secret() -> None:
    """It starts with nothing in its environment and loads no database, no Redis, no settings."""
    look = (
        "import sys; import newsletter.sandbox.child; from django.conf import settings;"
        "print(settings.configured, [m for m in sys.modules if m.startswith(('django.db',"
        " 'psycopg', 'redis', 'celery', 'config', 'newsletter.models', 'registrants.models'))])"
    )
    made = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", look],
        env={}, cwd=process.CODE, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert made.stdout == "False []\n"


def test_the_process_itself_has_no_secret() -> None:
    sandbox.compile_mail(mails.source())
    alone = pool._pool.idle[-1]
    environment = (process.Path("/proc") / str(alone.pid) / "environ").read_bytes()
    assert environment == b""
    assert os.getsid(alone.pid) != os.getsid(0)
    limits = (process.Path("/proc") / str(alone.pid) / "limits").read_text()
    assert f"Max address space         {512 * 1024 * 1024}" in limits


@pytest.mark.parametrize(
    ("job", "what"),
    [
        ("spin", "time"),
        ("recurse", "nesting"),
        ("eat", "memory"),
        ("grow", "size"),
        ("die", "lost"),
        ("hang", "clock"),
    ],
)
def test_what_takes_too_much_ends_with_a_sentence(
    job: str, what: str, bad: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processor time, stack and memory end it in the midst of C code; the clock by its owner."""
    monkeypatch.setattr(process, "CLOCK_SECONDS", 0.5 if job == "hang" else 9)
    with pytest.raises(sandbox.UsedUp) as caught:
        pool.ask(job, {})
    assert caught.value.what == what
    assert caught.value.faults[0].message == SENTENCES[what]
    assert sandbox.compile_mail(mails.source()).subject == "News for you"


def test_a_layout_that_a_person_typed_is_named_too() -> None:
    assert str(sandbox.UsedUp("time", in_layout=True)).startswith(
        "body: together with its layout takes more than 2 seconds"
    )
    assert "layout" not in str(sandbox.UsedUp("turn", in_layout=True))
    with (
        patch.object(sandbox, "ask", side_effect=sandbox.UsedUp("memory")),
        pytest.raises(sandbox.UsedUp, match="together with its layout"),
    ):
        sandbox.compile_mail(mails.source(layout="{{ content }}"))


def test_what_nobody_foresaw_is_a_sentence_and_a_line_in_the_log_without_the_text(
    bad: None, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SourceErrors, match="this is a fault of Heed") as caught:
        pool.ask("stumble", {})
    assert not isinstance(caught.value, sandbox.UsedUp)
    assert "KeyError in stumble" in caplog.text
    assert "somebody" not in caplog.text


def test_a_worn_sandbox_makes_room_for_a_fresh_one(bad: None) -> None:
    """Else a mail would be refused for the memory of those before it."""
    assert pool.ask("bloat", {})["size"] > 0
    worn = pool._pool.idle[-1]
    worn._process.wait(5)
    sandbox.compile_mail(mails.source())
    assert worn not in pool._pool.idle


ORPHAN = """
import os, signal, time
from django.conf import settings
settings.configure()
from newsletter.sandbox import process
one = process.Sandbox("tests.newsletter.sandbox.bad_jobs")
one.ask({"job": "stumble"})
print(one.pid, flush=True)
if os.fork():
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(20)  # and holds the pipes of its parent open
"""


def test_a_sandbox_ends_with_whoever_started_it_whatever_is_forked() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN], cwd=process.CODE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        sandbox_process = process.Path("/proc") / parent.stdout.readline().decode().strip()
        assert parent.wait(10) == -signal.SIGKILL
        until = time.monotonic() + 5
        while (sandbox_process / "environ").exists() and time.monotonic() < until:
            time.sleep(0.02)
        is_there = (sandbox_process / "environ").exists()
        os.killpg(parent.pid, signal.SIGKILL)
    assert not is_there


def test_killed_between_two_jobs_another_takes_over() -> None:
    sandbox.compile_mail(mails.source())
    for one in list(pool._pool.idle):
        os.kill(one.pid, signal.SIGKILL)
    assert sandbox.compile_mail(mails.source()).subject == "News for you"


def test_two_threads_at_once_and_more_get_their_own_mail() -> None:
    made: dict[int, str] = {}

    def make(number: int) -> None:
        made[number] = sandbox.compile_mail(mails.source(subject=f"Number {number}")).subject

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == {number: f"Number {number}" for number in range(8)}
    assert len(pool._pool.idle) <= pool.KEPT_WARM


def test_a_fork_has_sandboxes_of_its_own() -> None:
    sandbox.compile_mail(mails.source())
    mine = {one.pid for one in pool._pool.idle}
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            subject = sandbox.compile_mail(mails.source(subject="Forked")).subject
            theirs = {one.pid for one in pool._pool.idle}
            pool.close()
            os.write(write, f"{subject} {bool(theirs & mine)}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == "Forked False"
    os.waitpid(child, 0)
    assert sandbox.compile_mail(mails.source()).subject == "News for you"
    assert {one.pid for one in pool._pool.idle} & mine
