"""One connection's state: which reply is awaited for which message, and what follows from it."""

import ssl
import time
from collections import deque
from typing import Final, cast

from newsletter.transports.base import Unavailable
from newsletter.transports.envelope import DATA, MAIL, RCPT, commands_of, stuffed, why_unfit
from newsletter.transports.opening import Need, Offer, Opening, opening
from newsletter.transports.replies import Reply, ReplyReader, redacted
from newsletter.transports.send_queue import InFlight, SendQueue
from newsletter.transports.settings import SmtpSettings
from newsletter.transports.wire import Broken, Untrusted, Wire

END: Final = "end of data"
DOT: Final = "lone dot"
RSET: Final = "RSET"
QUICK: Final = 0.25
"""Seconds from the last byte of one message to its answer, up to which the next overlaps it."""
LATEST_BODY: Final = 0.6
"""Seconds after a message was to be begun in which its body still goes, if it is asked for."""
_SIGN_IN_WANTED: Final = frozenset({530, 534, 535, 538})


class Connection:
    """A connection being opened, then in use; ``is_lost`` once it is no more."""

    def __init__(
        self, wire: Wire, settings: SmtpSettings, context: ssl.SSLContext | None, now: float
    ) -> None:
        self.wire = wire
        self.is_ready = False
        self.is_lost = False
        self.trouble: Unavailable | None = None
        """Why it could not be opened, or was barred while in use."""
        self.served = 0
        """Messages this connection decided."""
        self.mask = 0
        """What the selector listens for on our behalf."""
        self.deadline = now + settings.timeouts.connect
        self._settings = settings
        self._context = context
        self._opening: Opening | None = None
        self._reader = ReplyReader()
        self._offer = Offer()
        self._awaited: deque[tuple[str, InFlight | None]] = deque()
        self._later: deque[tuple[str, InFlight | None, bytes]] = deque()
        """Commands of the present message that wait for the reply before, without PIPELINING."""
        self._must_reset = False
        self._dot_sent_at = 0.0
        self._is_quick = False
        """Whether it took the last message quickly enough to have the next one wait behind it."""

    @property
    def is_idle(self) -> bool:
        """Whether it stands ready with nothing to do."""
        return self.is_ready and not self._awaited

    def begin(self, queue: SendQueue) -> None:
        """Take the next message that can be put on this wire, and queue its commands."""
        now = time.monotonic()
        while (in_flight := queue.take()) is not None:
            if now > in_flight.message.begin_by:
                queue.settle(in_flight, "unsent", Reply(0, ""))
                continue
            unfit = why_unfit(in_flight.message, self._offer)
            if unfit is None:
                break
            queue.answer(in_flight, unfit)
        else:
            return
        commands = commands_of(in_flight.message, self._offer)
        if self._must_reset:
            commands = {RSET: b"RSET\r\n", **commands}
            self._must_reset = False
        if self._offer.pipelining:
            self.wire.put(b"".join(commands.values()))
            self._awaited.extend([(step, in_flight) for step in commands])
        else:
            self._later.extend((step, in_flight, command) for step, command in commands.items())
            self._send_next_command()

    def on_event(self, queue: SendQueue, now: float) -> None:
        """Go on where the socket is ready: connect, agree on TLS, read."""
        try:
            if not self.wire.connected:
                self._connected(now)
            elif not self.wire.is_shaking:
                self._read(queue, now)
            # Not a moment earlier: what was said in clear after 220 must be found and refused.
            if self.wire.is_shaking:
                self._shake(now)
        except Broken as problem:
            self.lose(queue, str(problem), configuration=isinstance(problem, Untrusted))
        except Unavailable as problem:
            self.trouble = problem
            self.lose(queue, problem.words)

    def flush(self, queue: SendQueue, now: float) -> None:
        """Send what is queued; after a failure read what the server had still said."""
        begins = not self.wire.is_partly_out
        try:
            self.wire.flush()
            if begins or not self.wire.has_output:
                self.deadline = now + self._patience()
        except Broken as problem:
            while not self.is_lost:
                self._read_last(queue, str(problem), now)

    def lose(self, queue: SendQueue, reason: str, *, configuration: bool = False) -> None:
        """Settle or give back what is on this connection, by how far each message got."""
        if self.is_lost:
            return
        self.is_lost = True
        reason = redacted(reason)
        if not self.is_ready and self.trouble is None:
            self.trouble = Unavailable(reason, configuration=configuration)
        pending = [entry[1] for entry in self._awaited] + [entry[1] for entry in self._later]
        was_head = True
        for in_flight in dict.fromkeys(entry for entry in pending if entry is not None):
            if in_flight.verdict is not None:
                self._decide(queue, in_flight, in_flight.verdict)
            elif in_flight.dot_at and self.wire.sent >= in_flight.dot_at:
                queue.settle(in_flight, "unknown", Reply(0, reason))
            else:
                # A used connection may have had its time; a fresh one broke under this message.
                queue.again(in_flight, counts=was_head and not self.served, reason=reason)
            was_head = False
        self._awaited.clear()
        self._later.clear()

    def _patience(self) -> float:
        waits = self._settings.timeouts
        ending = self._awaited and self._awaited[0][0] in (END, DOT)
        return waits.end_of_data if ending else waits.command

    def _connected(self, now: float) -> None:
        self.wire.finish_connecting()
        self._opening = opening(self._settings, self._settings.helo or self.wire.local_name())
        self._ask(next(self._opening), now)

    def _shake(self, now: float) -> None:
        self.wire.shake()
        if not self.wire.is_shaking:
            self._go_on_opening(None, now)

    def _ask(self, what: bytes | Need, now: float) -> None:
        self.deadline = now + self._settings.timeouts.command
        if what is Need.TLS:
            if self._reader.has_more or self._context is None:
                raise Broken("the server spoke before TLS began")
            self.wire.begin_tls(self._context, self._settings.host)
        elif isinstance(what, bytes):
            self.wire.put(what)

    def _go_on_opening(self, reply: Reply | None, now: float) -> None:
        assert self._opening is not None
        try:
            what = self._opening.send(cast("Reply", reply))
        except StopIteration as done:
            self._offer, self._opening, self.is_ready = done.value, None, True
        else:
            self._ask(what, now)

    def _read(self, queue: SendQueue, now: float) -> None:
        while not self.is_lost:
            data = self.wire.receive()
            if not data:
                return
            replies = self._reader.feed(data)
            for reply in replies:
                if self.wire.is_shaking:
                    raise Broken("the server said more than it was asked")
                self._on_reply(queue, reply, now)
            if replies:
                self.deadline = now + self._patience()
            if self._reader.garbage:
                raise Broken("the server's answer is not SMTP")
            if self.wire.is_shaking or not self.wire.has_pending:
                return

    def _read_last(self, queue: SendQueue, reason: str, now: float) -> None:
        try:
            data = self.wire.receive()
        except Broken:
            data = b""
        for reply in self._reader.feed(data):
            if not self.is_lost and self.is_ready:
                try:
                    self._on_reply(queue, reply, now)
                except Broken:
                    break
        if not data or self._reader.garbage:
            self.lose(queue, reason)

    def _on_reply(self, queue: SendQueue, reply: Reply, now: float) -> None:
        if self._opening is not None:
            self._go_on_opening(reply, now)
            return
        if not self._awaited:
            raise Broken(f"unasked: {reply.code} {reply.words}")
        step, in_flight = self._awaited.popleft()
        if in_flight is not None:
            self._on_step(queue, step, in_flight, reply)
        if reply.code == 421:
            raise Broken(f"421 {reply.words}")
        if self._later and not self._awaited:
            self._send_next_command()
        elif not self._awaited:
            self.begin(queue)

    def _on_step(self, queue: SendQueue, step: str, in_flight: InFlight, reply: Reply) -> None:
        if step is END:
            self._on_end(queue, in_flight, reply)
        elif step is DATA:
            self._on_data(queue, in_flight, reply)
        elif step is DOT:
            self._must_reset = True
            assert in_flight.verdict is not None
            self._decide(queue, in_flight, in_flight.verdict)
        elif step is RSET:
            if reply.code >= 300:
                self._awaited.appendleft((RSET, in_flight))
                raise Broken(f"RSET refused: {reply.code} {reply.words}")
        else:
            self._on_envelope(queue, step, in_flight, reply)

    def _on_envelope(self, queue: SendQueue, step: str, in_flight: InFlight, reply: Reply) -> None:
        if step is MAIL and reply.code in _SIGN_IN_WANTED:
            self.trouble = Unavailable(
                f"sign-in wanted: {reply.code} {reply.words}", configuration=True, code=reply.code
            )
        if reply.code < 300:
            in_flight.is_taken = in_flight.is_taken or step is RCPT
            return
        if 300 <= reply.code < 400 or self.trouble or self._is_limit(reply):
            self._awaited.appendleft((step, in_flight))
            raise Broken(f"{step} answered {reply.code} {reply.words}")
        if in_flight.verdict is None:
            in_flight.verdict = reply
        if self._later:
            self._later.clear()
            self._must_reset = True
            self._decide(queue, in_flight, in_flight.verdict)

    def _on_data(self, queue: SendQueue, in_flight: InFlight, reply: Reply) -> None:
        refused = in_flight.verdict is not None
        if reply.code == 354 and not refused and in_flight.is_taken:
            if time.monotonic() > in_flight.message.begin_by + LATEST_BODY:
                self._awaited.appendleft((DATA, in_flight))
                raise Broken("the server asked for the message too late")
            self._send_body(queue, in_flight)
        elif reply.code == 354 and refused and not in_flight.is_taken:
            # RFC 2920 §3.1: it took DATA for a message without recipients, so end that one at once.
            self.wire.put(b".\r\n")
            self._awaited.append((DOT, in_flight))
        elif reply.code >= 400 and not (self._is_limit(reply) and not refused):
            self._must_reset = True
            self._decide(queue, in_flight, in_flight.verdict or reply)
        else:
            self._awaited.appendleft((DATA, in_flight))
            raise Broken(f"DATA answered {reply.code} {reply.words}")

    def _send_body(self, queue: SendQueue, in_flight: InFlight) -> None:
        self.wire.put(stuffed(in_flight.message))
        in_flight.dot_at = self.wire.queued - 2
        self._awaited.append((END, in_flight))
        queue.going.append(in_flight.message.delivery)
        self._dot_sent_at = time.monotonic()
        if self._offer.pipelining and self._is_quick:
            self.begin(queue)

    def _on_end(self, queue: SendQueue, in_flight: InFlight, reply: Reply) -> None:
        is_early = self.wire.sent < in_flight.dot_at
        if 300 <= reply.code < 400 or (is_early and reply.code < 300):
            self._awaited.appendleft((END, in_flight))
            raise Broken(f"the end of the data answered {reply.code} {reply.words}")
        self._is_quick = time.monotonic() - self._dot_sent_at < QUICK
        self._decide(queue, in_flight, reply)
        if is_early:
            raise Broken(f"refused in the middle: {reply.code} {reply.words}")

    def _decide(self, queue: SendQueue, in_flight: InFlight, reply: Reply) -> None:
        self.served += 1
        queue.answer(in_flight, reply)

    def _is_limit(self, reply: Reply) -> bool:
        """Whether it is this connection's time that is up, not the message that is refused."""
        return reply.code == 421 and self.served > 0 and not reply.enhanced.startswith("4.7.")

    def _send_next_command(self) -> None:
        step, in_flight, command = self._later.popleft()
        self.wire.put(command)
        self._awaited.append((step, in_flight))
