"""A port that is free; one that is taken is stepped over, said aloud, and none is taken twice."""

import socket
from collections.abc import Callable

PORTS_TRIED = 200


class HeldPort:
    """A port of ours from the moment it was found free until we end: no other Heed is given it.

    What holds it is a UDP socket of the same number. TCP stays free for the server that will
    listen there, half a minute later; the system lets go of it whenever and however we end.
    """

    def __init__(self, number: int) -> None:
        """Take a port; raises OSError where another Heed has it or something listens there."""
        self.number = number
        self._lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._lock.bind(("127.0.0.1", number))
            if not is_free(number):
                raise OSError(f"something listens on port {number}")
        except OSError:
            self._lock.close()
            raise

    def release(self) -> int:
        """Let others have it; return its number, for a server begun at once."""
        self._lock.close()
        return self.number


def is_free(port: int) -> bool:
    """Tell whether a loopback port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def hold_port(wanted: int, *, say: Callable[[str], object] = str) -> HeldPort:
    """Take the wanted port or the next free one above it; raises OSError after 200 taken."""
    for port in range(wanted, wanted + PORTS_TRIED):
        try:
            held_port = HeldPort(port)
        except OSError:
            continue
        if port != wanted:
            say(f"Port {wanted} is taken, using {port} instead.")
        return held_port
    raise OSError(f"no free port from {wanted} to {wanted + PORTS_TRIED - 1}")
