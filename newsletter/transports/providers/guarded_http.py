"""HTTP to an address staff typed: looked up once, connected to there, and only where allowed."""

import socket

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from newsletter.transports.reach import Guard, socket_addresses


class GuardedAdapter(HTTPAdapter):
    """Connects to the address a guard let through; TLS still proves the name that was typed."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__()

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: object
    ) -> None:
        """Make every connection by way of the guard; what it refuses raises OutOfReach."""
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._guard)


def _pools(guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, guard)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, guard)

    plain = type("GuardedPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
    secure = type("GuardedTlsPool", (HTTPSConnectionPool,), {"ConnectionCls": Secure})
    return {"http": plain, "https": secure}


def _connected(connection: HTTPConnection, guard: Guard) -> socket.socket:
    """Return a socket to the first address that answers; raises OutOfReach."""
    port = connection.port or connection.default_port
    try:
        addresses = socket_addresses(connection.host, port, guard)
    except socket.gaierror as unknown:
        raise NameResolutionError(connection.host, connection, unknown) from None
    reason: OSError | None = None
    for _, where in addresses:
        try:
            return create_connection(
                (str(where[0]), port),
                connection.timeout,
                socket_options=connection.socket_options,
            )
        except OSError as away:
            reason = away
    raise NewConnectionError(connection, f"cannot connect: {type(reason).__name__}")
