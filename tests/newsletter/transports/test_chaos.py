"""Whatever a server does at random, every outcome is true and nobody gets a message twice.

Mirrors several: newsletter/transports/smtp.py, newsletter/transports/wire.py.
"""

import os
import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from newsletter.transports import Outcome, Timeouts, Unavailable
from tests.newsletter.transports.wire_cases import assert_true, by_number, message, transport
from tests.scripted_smtp import Answer, Close, Moment, ScriptedSmtp, Slow

FAULTS: list[Callable[[], Answer]] = [
    lambda: Close(),
    lambda: Close(accepting=True),
    lambda: Close(b"421 4.3.2 enough\r\n"),
    lambda: Close(b"250 ok"),
    lambda: b"451 4.2.0 later\r\n",
    lambda: b"550 5.1.1 nobody\r\n",
    lambda: b"\xff\xfe\r\n",
    lambda: b"354 what?\r\n",
    lambda: b"250 ok\r\n250 ok\r\n",
    lambda: Slow(b"450 4.2.1 slow\r\n", before=0.25),
]


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
@pytest.mark.parametrize("seed", range(6))
def test_no_fault_makes_an_outcome_untrue(extensions: tuple[str, ...], seed: int) -> None:
    chance = random.Random(seed)

    def anything(moment: Moment) -> Answer:
        faulty = moment.step in ("MAIL", "RCPT", "DATA", "end", "RSET") and chance.random() < 0.04
        # A 250 of its own to the end of data is an acceptance; the server counts it as one.
        return chance.choice(FAULTS)() if faulty else None

    waits = Timeouts(connect=1.0, command=0.2, end_of_data=0.2)
    outcomes = {}
    with ScriptedSmtp(anything, extensions) as server, transport(server, timeouts=waits) as wire:
        left = list(range(200))
        for _ in range(40):
            latest: list[Outcome] = []
            with suppress(Unavailable):
                latest.extend(wire.send([message(number) for number in left]))
            sorted_outcomes = by_number(latest)
            outcomes.update(sorted_outcomes)
            left = [
                n for n in left if n not in sorted_outcomes or sorted_outcomes[n].state == "unsent"
            ]
            if not left:
                break
    assert not left
    assert_true(server, outcomes)
    assert max(server.delivered.values()) == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_opens_connections_of_its_own() -> None:
    with ScriptedSmtp() as server, transport(server, connections=1) as wire:
        assert len(list(wire.send([message(0)]))) == 1
        child = os.fork()
        if not child:
            states = [outcome.state for outcome in wire.send([message(1)])]
            os._exit(0 if states == ["sent"] else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert len(list(wire.send([message(2)]))) == 1
        assert server.connections == 2
    assert len(server.delivered) == 3
