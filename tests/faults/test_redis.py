"""Redis forgets everything, goes away, or comes back empty: the database is the truth."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from local.valkey import Valkey
from newsletter.mailings import lifecycle
from tests.cast import Cast
from tests.faults.books import Keeper
from tests.faults.conftest import add_readers, let_time_pass
from tests.faults.patience import LONG, TIME_LIMIT, lasting, wait_until, wait_until_more
from tests.faults.table import Note
from tests.faults.workers import Line

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(TIME_LIMIT)]

AWAY = lasting(4, 60)
PACE = 200


@dataclass
class Forgetful:
    """A Redis and what can happen to it."""

    server: Valkey
    log: Path

    def forgets(self) -> None:
        """FLUSHALL, five times."""
        with redis.Redis.from_url(self.server.url) as client:
            for _ in range(5):
                client.flushall()
                time.sleep(0.5)

    def goes_away(self) -> None:
        """It is stopped, and comes back with what it held."""
        self.server.stop()
        time.sleep(AWAY)
        self.server.start(self.log)

    def comes_back_empty(self) -> None:
        """It is killed, and started again over an empty folder."""
        assert self.server.process is not None
        self.server.process.kill()
        self.server.process.wait(10)
        shutil.rmtree(self.server.data)
        time.sleep(1)
        self.server.start(self.log)


Happening = Callable[[Forgetful], None]
CASES: dict[str, tuple[Happening, ...]] = lasting(
    {
        f"Redis FLUSHALL, away for {AWAY} s, restarted empty": (
            Forgetful.forgets,
            Forgetful.goes_away,
            Forgetful.comes_back_empty,
        )
    },
    {
        "Redis FLUSHALL": (Forgetful.forgets,) * 2,
        f"Redis away for {AWAY} s": (Forgetful.goes_away,),
        "Redis killed, restarted empty": (Forgetful.comes_back_empty,) * 2,
    },
)


@pytest.mark.parametrize("case", CASES)
def test_a_campaign_is_completed_whatever_happens_to_redis(
    own_valkey: Valkey, line: Line, cast: Cast, note: Note, tmp_path: Path, case: str
) -> None:
    """AT-C4, C-8: the next tick heals it, by itself, and nobody gets two."""
    line.environment["REDIS_URL"] = own_valkey.url
    add_readers(cast, PACE * lasting(12, 40))
    line.start_mail(PACE)
    line.start_workers()
    campaign = cast.campaign()
    keeper = Keeper(campaign, line.mail)
    lifecycle.send_now(mailing=campaign, staff=None)
    wait_until(lambda: line.mail.count() > 50, 20, line.logs)
    for happens in CASES[case]:
        before = line.mail.count()
        happens(Forgetful(own_valkey, tmp_path / "valkey.log"))
        wait_until_more(line.mail.count, before, 30, line.logs)
    assert line.mail.count() < len(keeper.people) - 10, "it was over before"
    line.mail.ask("XPACE 0")
    if not LONG:  # what was held back while the pace could not be read comes within half a minute
        let_time_pass(campaign)
    line.wait_for(campaign, "sent", patience=lasting(30, 60))
    books = keeper.books()
    note(case, times=len(CASES[case]), **books.row())
    assert books.wrong == {}
    assert books.of("sent") == set(books.entries) == set(books.accepted)
