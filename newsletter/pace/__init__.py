"""How fast mail may go: asked before each window, told after it, the same for all processes."""

from newsletter.pace.asking import Admission, Kind, admit, most, rest
from newsletter.pace.pushback import asks_to_slow_down
from newsletter.pace.quiet import quiet_until
from newsletter.pace.reading import ReceiverReading, SenderReading, readings
from newsletter.pace.scripts import STOP
from newsletter.pace.telling import forget, record

__all__ = [
    "STOP",
    "Admission",
    "Kind",
    "ReceiverReading",
    "SenderReading",
    "admit",
    "asks_to_slow_down",
    "forget",
    "most",
    "quiet_until",
    "readings",
    "record",
    "rest",
]
