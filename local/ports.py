"""A port that is free; one that is taken is stepped over, said aloud."""

import socket
from collections.abc import Callable


def is_free(port: int) -> bool:
    """Tell whether a loopback port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wanted: int, *, say: Callable[[str], object] = str) -> int:
    """Return the wanted port or the next free one above it; raises OSError after 200 taken."""
    for port in range(wanted, wanted + 200):
        if is_free(port):
            if port != wanted:
                say(f"Port {wanted} is taken, using {port} instead.")
            return port
    raise OSError(f"no free port from {wanted} to {wanted + 199}")
