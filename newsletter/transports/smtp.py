"""Mail out by SMTP: kept connections, pipelined where the server can, one outcome per message."""

import os
from collections.abc import Iterable, Iterator

from newsletter.transports.base import Message, Note, Outcome
from newsletter.transports.pool import MakeWire, Pool
from newsletter.transports.send_queue import SendQueue
from newsletter.transports.settings import SmtpSettings
from newsletter.transports.wire import Wire


class SmtpTransport:
    """Sends to one server; for one thread, one call at a time, kept over many calls."""

    def __init__(self, settings: SmtpSettings, *, wire: MakeWire = Wire) -> None:
        self._settings = settings
        self._pool = Pool(settings, wire)
        self._process = os.getpid()
        self._is_sending = False

    def send(self, messages: Iterable[Message], *, note: Note | None = None) -> Iterator[Outcome]:
        """Send what the iterable yields, pulled as the wire has room; one outcome per message.

        Outcomes come as the server decides, not in the order of the messages. What the iterable
        itself raises is raised again after everything already pulled is settled. A caller who stops
        reading outcomes early leaves what was on the wire unanswered.
        Raises Unavailable where nothing (more) can be sent: before any message was pulled, or
        after every one that was has had its outcome.
        """
        if self._is_sending:
            raise RuntimeError("this transport is in the middle of another send")
        if self._process != os.getpid():
            self._pool.close(politely=False)
            self._process = os.getpid()
        self._pool.start()
        return self._run(SendQueue(messages), note)

    def close(self) -> None:
        """Say goodbye to the server; a later send connects afresh."""
        self._pool.close(politely=self._process == os.getpid())

    def _run(self, queue: SendQueue, note: Note | None) -> Iterator[Outcome]:
        pool, self._is_sending = self._pool, True
        try:
            while True:
                pool.staff(queue)
                yield from self._round(queue, note)
                if queue.outcomes:
                    continue
                if not pool.is_busy and (pool.is_hopeless or not queue.has_more()):
                    break
                pool.turn(queue)
            has_given_up = pool.is_hopeless
            for outcome in queue.give_up(pool.why.words):
                if note is not None:
                    note((), (outcome,))
                yield outcome
        finally:
            pool.drop_busy()
            self._is_sending = False
        if queue.problem is not None:
            raise queue.problem
        if has_given_up:
            raise pool.why

    def _round(self, queue: SendQueue, note: Note | None) -> Iterator[Outcome]:
        """Note, then write, then hand out what was answered."""
        outcomes, queue.outcomes = queue.outcomes, []
        if note is not None and (queue.going or outcomes):
            note(tuple(queue.going), outcomes)
        queue.going.clear()
        self._pool.write(queue)
        if any(
            outcome.state in ("sent", "deferred", "failed") and outcome.code for outcome in outcomes
        ):
            self._pool.fruitful()
        yield from outcomes
