"""One non-blocking socket to the server, in clear or in TLS, and the bytes waiting to leave."""

import errno
import selectors
import socket
import ssl
from contextlib import suppress
from typing import Final

_CHUNK: Final = 65536
_IN_PROGRESS: Final = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


class Broken(Exception):
    """The connection is no more; carries why."""


class Untrusted(Broken):
    """The server's certificate does not prove who it is."""


class Wire:
    """Bytes to and from the server; every method raises Broken where the connection is lost."""

    __slots__ = (
        "_number",
        "_out",
        "_out_at",
        "_shaking",
        "_sock",
        "connected",
        "queued",
        "sent",
        "wanted",
    )

    def __init__(self, address: tuple[socket.AddressFamily, tuple[object, ...]]) -> None:
        family, where = address
        self.connected = False
        self.queued = 0
        """Octets given to this wire so far."""
        self.sent = 0
        """Octets of them the kernel took; an incomplete TLS record counts as not taken."""
        self.wanted = selectors.EVENT_WRITE
        self._out: list[bytes] = []
        self._out_at = 0
        self._shaking = False
        self._sock: socket.socket = socket.socket(family, socket.SOCK_STREAM)
        self._sock.setblocking(False)
        self._number = self._sock.fileno()
        try:
            error = self._sock.connect_ex(where)
        except OSError as problem:
            self._sock.close()
            raise Broken(f"cannot connect: {problem.strerror or problem}") from None
        if error not in _IN_PROGRESS:
            self._sock.close()
            raise Broken(f"cannot connect: {errno.errorcode.get(error, error)}")

    def fileno(self) -> int:
        """Return the socket's number; it stays the same when TLS begins, and once it is closed."""
        return self._number

    @property
    def has_output(self) -> bool:
        """Whether bytes wait to leave."""
        return bool(self._out)

    @property
    def is_partly_out(self) -> bool:
        """Whether the kernel took the first of those bytes and not the last."""
        return self._out_at > 0

    @property
    def is_shaking(self) -> bool:
        """Whether TLS is still being agreed."""
        return self._shaking

    def finish_connecting(self) -> None:
        """Take note that the connection stands."""
        error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise Broken(f"cannot connect: {errno.errorcode.get(error, error)}")
        self.connected = True
        self.wanted = selectors.EVENT_READ
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def local_name(self) -> str:
        """Return our end's address as an address literal (RFC 5321 §4.1.3)."""
        host = str(self._sock.getsockname()[0]).partition("%")[0]
        return f"[IPv6:{host}]" if ":" in host else f"[{host}]"

    def begin_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Turn to TLS; ``shake`` until ``is_shaking`` is over."""
        try:
            self._sock = context.wrap_socket(
                self._sock, server_hostname=host, do_handshake_on_connect=False
            )
        except (OSError, ValueError) as problem:
            raise Broken(f"no TLS: {problem}") from None
        self._shaking = True

    def shake(self) -> None:
        """Go on agreeing on TLS as far as it goes. Raises Untrusted."""
        assert isinstance(self._sock, ssl.SSLSocket)
        try:
            self._sock.do_handshake()
        except ssl.SSLWantReadError:
            self.wanted = selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            self.wanted = selectors.EVENT_READ | selectors.EVENT_WRITE
        except ssl.SSLCertVerificationError as problem:
            raise Untrusted(f"certificate not trusted: {problem.verify_message}") from None
        except OSError as problem:
            raise Broken(f"no TLS: {problem.strerror or problem}") from None
        else:
            self._shaking = False
            self.wanted = selectors.EVENT_READ

    def receive(self) -> bytes:
        """Return what has arrived, b"" where nothing has."""
        try:
            data = self._sock.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""
        except ssl.SSLWantWriteError:
            self.wanted = selectors.EVENT_READ | selectors.EVENT_WRITE
            return b""
        except OSError as problem:
            raise Broken(f"connection lost: {problem.strerror or problem}") from None
        if not data:
            raise Broken("connection closed by the server")
        if not self._out:
            self.wanted = selectors.EVENT_READ
        return data

    @property
    def has_pending(self) -> bool:
        """Whether TLS holds bytes already taken from the kernel, which no selector sees."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def put(self, data: bytes) -> None:
        """Add bytes to what is to leave with the next ``flush``."""
        self._out.append(data)
        self.queued += len(data)

    def flush(self) -> None:
        """Send what the kernel takes; ``wanted`` says whether to come again."""
        data = b"".join(self._out) if len(self._out) > 1 else self._out[0]
        try:
            while self._out_at < len(data):
                view = memoryview(data)[self._out_at :] if self._out_at else data
                count = self._sock.send(view)
                self._out_at += count
                self.sent += count
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._out = [data]
            self.wanted = selectors.EVENT_READ | selectors.EVENT_WRITE
            return
        except OSError as problem:
            raise Broken(f"connection lost: {problem.strerror or problem}") from None
        self._out.clear()
        self._out_at = 0
        self.wanted = selectors.EVENT_READ

    def close(self) -> None:
        """Close the socket, whatever state it is in."""
        with suppress(OSError):
            self._sock.close()
