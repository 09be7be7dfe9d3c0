"""The real servers the suite runs against, started before Django reads its settings.

Also: which worker of a parallel run takes which tests.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import keys
from local.postgres import FOR_TESTS, Postgres
from local.valkey import Valkey

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

_STARTED: list[Postgres | Valkey] = []
# These start a whole system each, and time it: one worker takes a line of them, one after the other
# (save in the long run of the faults, which has nothing else to do). The lines begin the suite, so
# that none is left alone at its end.
WHOLE_SYSTEMS = {
    "faults": ("tests/faults/",),
    "journeys": ("tests/journeys/",),
    "starting": ("tests/local/test_up.py",),
}


def _keep_bytecode(folder: Path) -> None:
    """Compile each module once a run where this machine keeps no bytecode.

    The suite starts more than a hundred Python processes; each would spend two thirds of its start
    on compiling Django and Celery again.
    """
    if sys.dont_write_bytecode:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(folder)
        sys.dont_write_bytecode = False


def _start() -> None:
    """Start PostgreSQL and Valkey once per run; workers of a parallel run share them."""
    folder = Path(tempfile.mkdtemp(prefix="heed-tests-"))
    _keep_bytecode(folder / "bytecode")
    os.environ.update(keys.make())
    os.environ["HEED_DEMO"] = "1"
    os.environ["HEED_PUBLIC_URL"] = "http://127.0.0.1:8000"
    os.environ["HEED_NOTES_FOLDER"] = str(folder / "notes")
    os.environ["EMAIL_URL"] = "smtp://127.0.0.1:9"
    # A browser leaves an event loop in the thread of the tests: Django takes all for asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    postgres = Postgres(folder / "data", options=FOR_TESTS)
    _STARTED.append(postgres)
    postgres.start(folder / "postgres.log")
    postgres.create()
    os.environ["DATABASE_URL"] = postgres.url()
    valkey = Valkey(folder / "valkey")
    _STARTED.append(valkey)
    valkey.start(folder / "valkey.log")
    os.environ["REDIS_URL"] = valkey.url
    os.environ["HEED_TEST_SERVERS"] = str(folder)


def _stop() -> None:
    for server in reversed(_STARTED):
        server.stop()
        if isinstance(server, Postgres):
            server.forget()
    _STARTED.clear()
    if folder := os.environ.get("HEED_TEST_SERVERS"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Start the servers before pytest-django sets Django up."""
    if "HEED_TEST_SERVERS" in os.environ:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        base = os.environ["REDIS_URL"].rpartition("/")[0]
        os.environ["REDIS_URL"] = f"{base}/{int(worker) + 1}"
        os.environ["HEED_NOTES_FOLDER"] += worker
        return
    if not {"--help", "--version", "-h"} & set(sys.argv):
        _start()
        atexit.register(_stop)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: whole systems wait for most of their time."""
    return min(4, (os.cpu_count() or 1) + 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """Return who deals out the tests (xdist's own groups need an older pytest than ours)."""
    from xdist.scheduler import LoadScopeScheduling

    class Dealer(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if os.environ.get("HEED_FAULTS") != "long":
                for line, places in WHOLE_SYSTEMS.items():
                    if nodeid.startswith(places):
                        return line
            return nodeid

    return Dealer(config, log)
