"""The connections to one server: opened as work asks for them, watched by one selector."""

import selectors
import ssl
import time
from collections.abc import Callable
from typing import Final

from newsletter.transports.base import Unavailable
from newsletter.transports.connection import Connection
from newsletter.transports.reach import OutOfReach, SocketAddress, socket_addresses
from newsletter.transports.replies import redacted
from newsletter.transports.send_queue import SendQueue
from newsletter.transports.settings import SmtpSettings
from newsletter.transports.wire import Broken, Wire

FRUITLESS_LIMIT: Final = 3
"""Connections in a row that decided nothing, after which the server counts as gone.

One that decided something in this call is granted one more: as many are what one message breaks.
"""
CROWDED_SECONDS: Final = 30.0
"""How long a server that took no further connection is not asked for more."""

MakeWire = Callable[[SocketAddress], Wire]
"""What makes a wire to an address; one that keeps the conversation, where somebody looks on."""


class Pool:
    """Opens, watches and drops connections; knows when it is no use to go on."""

    def __init__(self, settings: SmtpSettings, make_wire: MakeWire = Wire) -> None:
        self._make_wire = make_wire
        self.connections: list[Connection] = []
        self._settings = settings
        self._context = _context(settings)
        self._selector = selectors.DefaultSelector()
        self._addresses: list[SocketAddress] = []
        self._most = settings.connections
        self._crowded_until = 0.0
        self._fruitless = 0
        self._has_decided = False
        self._trouble: Unavailable | None = None
        waits = settings.timeouts
        self._tick = min(1.0, waits.connect / 4, waits.command / 4, waits.end_of_data / 4)
        self._sweep_at = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether a message is on any wire."""
        return any(
            connection.is_ready and not connection.is_idle for connection in self.connections
        )

    @property
    def is_hopeless(self) -> bool:
        """Whether no further connection should be tried in this call."""
        limit = FRUITLESS_LIMIT + self._has_decided
        return self._fruitless >= limit or self._is_misconfigured

    @property
    def why(self) -> Unavailable:
        """Return why it is hopeless."""
        return self._trouble or Unavailable("the server takes no mail at present")

    @property
    def _is_misconfigured(self) -> bool:
        return self._trouble is not None and self._trouble.configuration

    def start(self) -> None:
        """Drop what died meanwhile and have one connection ready. Raises Unavailable."""
        self._has_decided = False
        queue = SendQueue(())
        self.turn(queue, wait=0.0)
        self.write(queue)
        self._fruitless, self._trouble = 0, None
        if not self.connections:
            self._addresses = []
        tried: list[SocketAddress] = []
        while not any(connection.is_ready for connection in self.connections):
            if not self.connections:
                if tried and len(tried) >= len(self._addresses):
                    raise self._trouble or Unavailable("no connection")
                self._addresses = self._addresses or self._resolve()
                tried.append(self._addresses[0])
                self._open(queue)
            else:
                self.turn(queue)
                self.write(queue)
        self._fruitless, self._trouble = 0, None

    def staff(self, queue: SendQueue) -> None:
        """Give idle connections work, and open another where all are busy and more is to do."""
        if self.is_hopeless:
            return
        for connection in self.connections:
            if connection.is_idle:
                connection.begin(queue)
        now = time.monotonic()
        if self._most < self._settings.connections and now >= self._crowded_until:
            self._most = self._settings.connections
        while len(self.connections) < self._most and not self.is_hopeless and queue.has_more():
            self._open(queue)

    def turn(self, queue: SendQueue, wait: float | None = None) -> None:
        """Wait for the sockets, read what came, and drop what took too long."""
        for key, _ in self._selector.select(self._tick if wait is None else wait):
            connection: Connection = key.data
            connection.on_event(queue, time.monotonic())
            if connection.is_lost:
                self._drop(connection)
        now = time.monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + self._tick
            self._sweep(queue, now)

    def write(self, queue: SendQueue) -> None:
        """Send what is queued on any connection."""
        for connection in tuple(self.connections):
            if connection.wire.has_output:
                connection.flush(queue, time.monotonic())
            if connection.is_lost:
                self._drop(connection)
            elif connection.mask != connection.wire.wanted:
                connection.mask = connection.wire.wanted
                self._selector.modify(connection.wire.fileno(), connection.mask, connection)

    def fruitful(self) -> None:
        """Take note that the server decided something."""
        self._fruitless, self._has_decided = 0, True

    def close(self, *, politely: bool) -> None:
        """Close every connection, with QUIT where nothing is on its wire and it may be said."""
        for connection in self.connections:
            if politely and connection.is_idle:
                try:
                    connection.wire.put(b"QUIT\r\n")
                    connection.wire.flush()
                except Broken:
                    pass
            connection.wire.close()
        self.connections.clear()
        self._selector.close()
        self._selector = selectors.DefaultSelector()

    def drop_busy(self) -> None:
        """Close the connections that are in the middle of a message."""
        for connection in tuple(self.connections):
            if connection.is_ready and not connection.is_idle:
                connection.is_lost = True
                self._unlist(connection)

    def _open(self, queue: SendQueue) -> None:
        try:
            if not self._addresses:
                self._addresses = self._resolve()
            wire = self._make_wire(self._addresses[0])
        except (Broken, Unavailable) as problem:
            self._failed(problem if isinstance(problem, Unavailable) else Unavailable(str(problem)))
            return
        connection = Connection(wire, self._settings, self._context, time.monotonic())
        connection.mask = wire.wanted
        self._selector.register(wire.fileno(), connection.mask, connection)
        self.connections.append(connection)

    def _drop(self, connection: Connection) -> None:
        if connection not in self.connections:
            return
        self._unlist(connection)
        if not connection.is_ready:
            self._failed(connection.trouble or Unavailable("no connection"))
        elif connection.trouble is not None:
            self._trouble = connection.trouble
        elif not connection.served:
            self._fruitless += 1

    def _failed(self, trouble: Unavailable) -> None:
        """Take note that one could not be opened; where others stand, be content with them."""
        self._trouble = trouble
        standing = sum(connection.is_ready for connection in self.connections)
        if standing and not trouble.configuration:
            self._most, self._crowded_until = standing, time.monotonic() + CROWDED_SECONDS
            self._trouble = None
            return
        self._fruitless += 1
        self._addresses = self._addresses[1:] + self._addresses[:1]

    def _unlist(self, connection: Connection) -> None:
        self._selector.unregister(connection.wire.fileno())
        self.connections.remove(connection)
        connection.wire.close()

    def _sweep(self, queue: SendQueue, now: float) -> None:
        for connection in tuple(self.connections):
            if not connection.is_idle and now >= connection.deadline:
                connection.lose(queue, "no answer in time")
                self._drop(connection)

    def _resolve(self) -> list[SocketAddress]:
        try:
            return socket_addresses(self._settings.host, self._settings.port, self._settings.guard)
        except OutOfReach as forbidden:
            reason = f"the mail server cannot be used: {forbidden}"
            raise Unavailable(reason, configuration=True) from None
        except OSError as problem:
            raise Unavailable(redacted(f"unknown host: {problem.strerror}")) from None


def _context(settings: SmtpSettings) -> ssl.SSLContext | None:
    if settings.security == "none":
        return None
    return ssl.create_default_context(cafile=settings.ca_file or None)
