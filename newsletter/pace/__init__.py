"""How fast mail may go: asked before each window, recorded after it, the same everywhere."""

from newsletter.pace.admission import Admission, Kind, admit, most, rest
from newsletter.pace.pushback import asks_to_slow_down
from newsletter.pace.quiet import quiet_until
from newsletter.pace.recording import forget, record
from newsletter.pace.scripts import STOP
from newsletter.pace.snapshot import ReceiverPace, SenderPace, snapshots

__all__ = [
    "STOP",
    "Admission",
    "Kind",
    "ReceiverPace",
    "SenderPace",
    "admit",
    "asks_to_slow_down",
    "forget",
    "most",
    "quiet_until",
    "record",
    "rest",
    "snapshots",
]
