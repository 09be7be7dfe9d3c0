"""An SMTP server that misbehaves as it is told and counts every accepted message by recipient."""

import base64
import hmac
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Self


class Close(NamedTuple):
    """Close the connection instead of answering; ``accepting`` counts the message first."""

    reply: bytes = b""
    accepting: bool = False


class Slow(NamedTuple):
    """Answer, but after a while, with a pause before every octet, or deaf for a while after."""

    reply: bytes
    before: float = 0.0
    per_octet: float = 0.0
    after: float = 0.0


@dataclass
class Moment:
    """Where in a conversation the server is when the script is asked."""

    step: str
    """connect, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, end, RSET, QUIT or the command itself."""
    line: str
    connection: int
    """The first connection is 1."""
    accepted_here: int
    """Messages accepted on this connection so far."""
    accepted: int
    """Messages accepted in all so far."""
    number: int
    """How often this step was reached, on all connections, this time included."""
    recipients: tuple[str, ...] = ()


Answer = bytes | Close | Slow | None
Script = Callable[[Moment], Answer]
Told = Callable[[str, int, str], None]


@dataclass
class ScriptedSmtp:
    """Listens on loopback in threads; a script answers, or leaves the answer to the server."""

    script: Script = lambda moment: None
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES")
    server_context: ssl.SSLContext | None = None
    tls_at_once: bool = False
    sign_ins: dict[str, str] = field(default_factory=dict)
    told: Told = lambda what, connection, recipient: None
    """Told of what happens: named (RCPT), begun (a body is asked for), accepted, closed."""
    receive_buffer: int = 0
    """Octets the kernel takes before we read (0: as many as it likes)."""
    delivered: Counter[str] = field(default_factory=Counter)
    """Accepted messages by recipient."""
    messages: dict[str, list[bytes]] = field(default_factory=dict)
    """What was accepted for each recipient, dots taken out again."""
    log: list[str] = field(default_factory=list)
    accepted_to_nobody: int = 0
    connections: int = 0
    port: int = 0

    def __enter__(self) -> Self:
        self.lock = threading.RLock()
        self.steps: Counter[str] = Counter()
        self.accepted = 0
        self.open: set[socket.socket] = set()
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
        if self.receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for sock in self.open:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(sock)
                number = self.connections
            talk = _Conversation(self, sock, number)
            threading.Thread(target=talk.run, daemon=True).start()


class _Hangup(Exception):
    pass


class _Conversation:
    def __init__(self, server: ScriptedSmtp, sock: socket.socket, number: int) -> None:
        self.server, self.sock, self.number = server, sock, number
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.accepted_here = 0
        self.reader = sock.makefile("rb")

    def run(self) -> None:
        try:
            if self.server.tls_at_once:
                self._turn_to_tls()
            self.answer("connect", "", b"220 scripted.example ESMTP\r\n")
            while line := self.reader.readline(4096):
                self.command(line.decode("ascii", "replace").rstrip("\r\n"))
        except (_Hangup, OSError, ValueError):
            pass
        finally:
            with self.server.lock:
                self.server.open.discard(self.sock)
                self.server.told("closed", self.number, "-")
            self.reader.close()
            self.sock.close()

    def command(self, line: str) -> None:
        verb = line.split(" ")[0].upper()
        with self.server.lock:
            self.server.log.append(f"{self.number} {line}")
        handler = getattr(self, f"on_{verb.lower()}", None)
        if handler is None:
            self.answer(verb, line, b"500 5.5.1 What?\r\n")
        else:
            handler(line)

    def ask(self, step: str, line: str) -> Answer:
        with self.server.lock:
            self.server.steps[step] += 1
            moment = Moment(
                step, line, self.number, self.accepted_here, self.server.accepted,
                self.server.steps[step], tuple(self.recipients),
            )  # fmt: skip
            return self.server.script(moment)

    def answer(self, step: str, line: str, usual: bytes) -> bytes:
        """Answer as the script says, else as usual; return the reply given."""
        return self.say(self.ask(step, line), usual)

    def say(self, answer: Answer, usual: bytes) -> bytes:
        if isinstance(answer, Close):
            if answer.reply:
                self.sock.sendall(answer.reply)
            raise _Hangup
        if isinstance(answer, Slow):
            time.sleep(answer.before)
            if answer.per_octet:
                for octet in answer.reply:
                    self.sock.sendall(bytes([octet]))
                    time.sleep(answer.per_octet)
            else:
                self.sock.sendall(answer.reply)
            time.sleep(answer.after)
            return answer.reply
        reply = usual if answer is None else answer
        self.sock.sendall(reply)
        return reply

    def on_ehlo(self, line: str) -> None:
        extensions = list(self.server.extensions)
        if self.server.server_context and not isinstance(self.sock, ssl.SSLSocket):
            extensions.append("STARTTLS")
        lines = ["scripted.example", *extensions]
        reply = "".join(f"250-{extension}\r\n" for extension in lines[:-1]) + f"250 {lines[-1]}\r\n"
        self.answer("EHLO", line, reply.encode())

    def on_helo(self, line: str) -> None:
        self.answer("HELO", line, b"250 scripted.example\r\n")

    def on_starttls(self, line: str) -> None:
        if self.answer("STARTTLS", line, b"220 2.0.0 Go ahead\r\n").startswith(b"220"):
            self._turn_to_tls()

    def _turn_to_tls(self) -> None:
        assert self.server.server_context is not None
        with self.server.lock:
            self.server.open.discard(self.sock)
        self.sock = self.server.server_context.wrap_socket(self.sock, server_side=True)
        with self.server.lock:
            self.server.open.add(self.sock)
        self.reader = self.sock.makefile("rb")

    def on_auth(self, line: str) -> None:
        _, way, *rest = line.split(" ")
        if way.upper() == "LOGIN":
            self.sock.sendall(b"334 VXNlcm5hbWU6\r\n")
            username = self._decoded(self.reader.readline())
            self.sock.sendall(b"334 UGFzc3dvcmQ6\r\n")
            password = self._decoded(self.reader.readline())
        elif way.upper() == "CRAM-MD5":
            self.sock.sendall(b"334 " + base64.b64encode(b"<1@scripted.example>") + b"\r\n")
            username, _, digest = self._decoded(self.reader.readline()).rpartition(" ")
            password = self.server.sign_ins.get(username, "")
            known = hmac.new(password.encode(), b"<1@scripted.example>", "md5").hexdigest()
            password = password if digest == known else "wrong"
        elif way.upper() == "PLAIN":
            _, username, password = self._decoded(rest[0].encode()).split("\0")
        else:
            user, bearer, *_ = self._decoded(rest[0].encode()).split("\1")
            username, password = user[len("user=") :], bearer[len("auth=Bearer ") :]
        good = self.server.sign_ins.get(username) == password
        if not good and way.upper() == "XOAUTH2":
            self.sock.sendall(b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n")
            self.reader.readline()
        usual = b"235 2.7.0 Welcome\r\n" if good else b"535 5.7.8 Wrong\r\n"
        self.answer("AUTH", line, usual)

    @staticmethod
    def _decoded(text: bytes) -> str:
        return base64.b64decode(text.strip()).decode()

    def on_mail(self, line: str) -> None:
        usual = b"250 2.1.0 Ok\r\n" if self.sender is None else b"503 5.5.1 nested MAIL\r\n"
        if self.answer("MAIL", line, usual).startswith(b"250"):
            self.sender, self.recipients = line, []

    def on_rcpt(self, line: str) -> None:
        usual = b"250 2.1.5 Ok\r\n" if self.sender is not None else b"503 5.5.1 need MAIL\r\n"
        recipient = line.partition("<")[2].rpartition(">")[0]
        with self.server.lock:
            self.server.told("named", self.number, recipient)
        if self.answer("RCPT", line, usual).startswith(b"250"):
            self.recipients.append(recipient)

    def on_data(self, line: str) -> None:
        usual = b"354 Go ahead\r\n" if self.recipients else b"554 5.5.1 no valid recipients\r\n"
        answer = self.ask("DATA", line)
        reply = answer if isinstance(answer, bytes) else getattr(answer, "reply", usual)
        if reply.startswith(b"354"):
            with self.server.lock:
                for recipient in self.recipients:
                    self.server.told("begun", self.number, recipient)
        if self.say(answer, usual).startswith(b"354"):
            self.body()

    def body(self) -> None:
        data = []
        while (line := self.reader.readline()) != b".\r\n":
            if not line:
                raise _Hangup
            data.append(line[1:] if line.startswith(b".") else line)
        usual = b"250 2.0.0 Ok\r\n" if self.recipients else b"554 5.5.1 no valid recipients\r\n"
        answer = self.ask("end", "")
        reply = answer if isinstance(answer, bytes) else getattr(answer, "reply", usual)
        if getattr(answer, "accepting", False) or reply.startswith(b"250"):
            self.accept(b"".join(data))
        self.sender, self.recipients = None, []
        self.say(answer, usual)

    def accept(self, data: bytes) -> None:
        with self.server.lock:
            self.server.accepted += 1
            self.accepted_here += 1
            self.server.accepted_to_nobody += not self.recipients
            for recipient in self.recipients:
                self.server.delivered[recipient] += 1
                self.server.told("accepted", self.number, recipient)
                self.server.messages.setdefault(recipient, []).append(data)

    def on_rset(self, line: str) -> None:
        if self.answer("RSET", line, b"250 2.0.0 Ok\r\n").startswith(b"250"):
            self.sender, self.recipients = None, []

    def on_quit(self, line: str) -> None:
        self.answer("QUIT", line, b"221 2.0.0 Bye\r\n")
        raise _Hangup
