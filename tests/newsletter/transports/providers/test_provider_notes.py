"""What a crash in the middle of a call finds in the notes: the call, and nothing else, is open.

Mirrors several: newsletter/transports/providers/call_queue.py,
newsletter/transports/providers/transport.py.
"""

from collections.abc import Sequence

import pytest

from newsletter.transports import Outcome
from tests.newsletter.transports.providers.contracts import (
    BATCHES,
    NAMES,
    Provider,
    by_delivery,
    letters,
    read,
    wire,
)
from tests.newsletter.transports.providers.recording import Call, Reply, recording

ALL = pytest.mark.parametrize("name", NAMES)


class Notes:
    """What a crash would find."""

    def __init__(self) -> None:
        self.going: set[int] = set()
        self.answered: dict[int, Outcome] = {}

    def __call__(self, going: Sequence[int], answered: Sequence[Outcome], /) -> None:
        self.going |= set(going)
        for one in going:
            self.answered.pop(one, None)
        self.answered |= {one.delivery: one for one in answered}

    @property
    def in_flight(self) -> set[int]:
        """Return what nobody knows the end of."""
        return self.going - set(self.answered)


@ALL
def test_at_every_moment_only_what_is_in_the_call_is_unknown(name: str) -> None:
    """C-3: a crash in the middle of any call, cut batches included, leaves that call alone open."""
    provider = Provider(name, bad={"r3@example.org"}, whole=True)
    notes = Notes()
    wrong = []

    def script(call: Call) -> Reply:
        in_call = {int(seen.to[1:].partition("@")[0]) for seen in read(name, call)}
        if not in_call <= notes.in_flight or len(notes.in_flight) > max(len(in_call), 9):
            wrong.append((in_call, notes.in_flight))
        return provider(call)

    with recording(script) as api, wire(name, api) as transport:
        outcomes = by_delivery(transport.send(letters(9), note=notes))
    assert not wrong and not notes.in_flight
    assert notes.answered == outcomes and len(outcomes) == 9


@pytest.mark.parametrize("name", BATCHES)
def test_of_a_batch_that_is_cut_only_the_part_being_called_is_in_flight(name: str) -> None:
    """C-3: what was refused as a whole, and so accepted by nobody, is not in doubt for long."""
    provider = Provider(name, bad={"r8@example.org"}, whole=True)
    notes, open_then = Notes(), []

    def script(call: Call) -> Reply:
        open_then.append((len(read(name, call)), len(set(notes.answered))))
        return provider(call)

    with recording(script) as api, wire(name, api) as transport:
        list(transport.send(letters(8), note=notes))
    assert [size for size, _ in open_then] == [8, 4, 4, 2, 2, 1, 1]
    assert [answered for _, answered in open_then] == [0, 0, 4, 4, 6, 6, 7]
