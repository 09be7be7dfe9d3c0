"""What runs inside Redis (`lua/`): a sender's buckets, stops and counts, on Redis' own clock.

All of a sender stands in one hash, `pace:<sender>`, in seconds of Redis' TIME, so that workers
whose clocks differ agree (AT-C8). `at`, `level`, `next`, `late` with a receiver's number (none: of
the whole sender) are a bucket: when it was last looked at, the tokens in it, the first slot not yet
promised, how many were sent away without one. `stop` with a number is when a receiver's stop ends
or ended. `slot:<receiver>:<process>` is that process's share of a receiver's few connections,
`seen:<process>` when it last asked. Beside it stand `pace:<sender>:<second>`, what was sent and
held then, and `pace:<sender>:day:<day>`, what the warm-up counted.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redis_store.connection import Script

HORIZON = 60
"""Seconds ahead for which held deliveries are promised slots."""
FARTHEST = 600
"""Seconds after which what was sent away without a slot asks again at the latest."""
STOP = 600
"""Seconds a receiver that asked for it is left alone, and until each further connection (P-5)."""
LONGEST_STOP = 3600
SLOT_BUSY, SLOT_IDLE = 240, 15
"""Seconds a share of connections outlives its last use: longer than a server may take to answer
(newsletter.senders.routing), and short once nothing is on the wire."""
RESERVED = 0.1
"""Share of a limited rate that campaigns leave to letters and notices."""
KEPT_SECONDS = 90
"""How long the counts of one second are kept."""

LUA = Path(__file__).with_name("lua")
_CONSTANTS = json.dumps(
    {
        "horizon": HORIZON,
        "farthest": FARTHEST,
        "stop": STOP,
        "longest_stop": LONGEST_STOP,
        "slot_busy": SLOT_BUSY,
        "slot_idle": SLOT_IDLE,
        "reserved": RESERVED,
        "kept_seconds": KEPT_SECONDS,
    }
)


class PaceScript:
    """One script about one sender: asked in JSON, in one round trip, on the sender's hash."""

    def __init__(self, name: str) -> None:
        self._script = Script(LUA / "prelude.lua", LUA / name)

    def __call__(self, key: str, question: Mapping[str, object]) -> Any:
        """Return what it answers in JSON, None where it answers nothing.

        Raises RedisError where Redis is away.
        """
        reply = self._script(key, json.dumps(question), _CONSTANTS)
        return json.loads(reply) if isinstance(reply, bytes) else None


ADMIT = PaceScript("admit.lua")
"""Who may go now, and when the others come back."""
RECORD = PaceScript("record.lua")
"""What a window sent, who asked us to slow down, what did not leave."""
LIFT = PaceScript("lift.lua")
"""Lift every stop of a sender."""
SNAPSHOT = PaceScript("snapshot.lua")
"""How a sender goes now."""
