"""Mail out by a provider's API: call by call, one outcome per message."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from anymail.exceptions import AnymailConfigurationError
from botocore.exceptions import BotoCoreError

from newsletter.transports.base import Message, Note, Outcome, Unavailable
from newsletter.transports.providers.call_queue import CallQueue, fresh
from newsletter.transports.providers.catalogue import PROVIDERS
from newsletter.transports.providers.http_calls import Caller, CallResult
from newsletter.transports.providers.settings import ProviderSettings
from newsletter.transports.replies import redacted


class ProviderTransport:
    """Sends by one provider; for one thread, one call to send at a time, kept over many."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._callers: list[Caller] = []
        self._process = os.getpid()
        self._is_sending = False
        provider = PROVIDERS[settings.provider]
        self._octets = provider.batch_bytes
        self._most = self._room = provider.batch if settings.batches else 1

    def send(self, messages: Iterable[Message], *, note: Note | None = None) -> Iterator[Outcome]:
        """Send what the iterable yields, pulled call by call; one outcome per message.

        What the iterable itself raises is raised again after everything pulled has its outcome.
        Raises Unavailable where nothing (more) can be sent: before any message was pulled, or
        after every one that was has had its outcome.
        """
        if self._is_sending:
            raise RuntimeError("this transport is in the middle of another send")
        if self._process != os.getpid():
            self._callers.clear()  # the parent's sessions are the parent's to close
            self._process = os.getpid()
        self._open()
        return self._run(CallQueue(messages, most=self._room, octets=self._octets), note)

    def close(self) -> None:
        """Close the sessions; a later send opens them afresh."""
        callers, self._callers = self._callers, []
        if self._process == os.getpid():
            for caller in callers:
                caller.close()

    def _open(self) -> None:
        try:
            while len(self._callers) < self._settings.connections:
                self._callers.append(Caller(self._settings))
        except (AnymailConfigurationError, BotoCoreError, ValueError) as error:
            raise Unavailable(redacted(str(error)), configuration=True) from None

    def _run(self, line: CallQueue, note: Note | None) -> Iterator[Outcome]:
        self._is_sending = True
        trouble: Unavailable | None = None
        try:
            while trouble is None:
                calls, outcomes = self._next(line)
                if not calls and not outcomes:
                    break
                for call, result in zip(calls, self._make(calls, note), strict=True):
                    outcomes += result.outcomes
                    trouble = trouble or result.trouble
                    self._learn(line, call, result)
                yield from _noted(outcomes, note)
            if trouble is not None:
                yield from _noted(line.give_up(), note)
        finally:
            self._is_sending = False
        if line.problem is not None:
            raise line.problem
        if trouble is not None:
            raise trouble

    def _learn(self, line: CallQueue, call: list[Message], result: CallResult) -> None:
        """Put back what is to be called in smaller calls, and make the next ones smaller too.

        Otherwise a provider so slow that the halves are too late would refuse the same batch for
        ever: each call either sends somebody's mail, or leaves fewer in the next.
        """
        for again in reversed(result.again):
            line.put_back(again)
        self._room = max(1, len(call) // 2) if result.again else min(self._most, self._room * 2)
        line.most = self._room

    def _next(self, line: CallQueue) -> tuple[list[list[Message]], list[Outcome]]:
        """Return the calls of the next round, and the outcomes of what is too late for one."""
        calls: list[list[Message]] = []
        outcomes: list[Outcome] = []
        moment: float | None = None
        while len(calls) < len(self._callers) and (taken := line.take(moment)):
            moment = taken[0].begin_by
            going, late = fresh(taken)
            outcomes += late
            calls += [going] if going else []
        return calls, outcomes

    def _make(self, calls: list[list[Message]], note: Note | None) -> list[CallResult]:
        """Note what is going, then make the calls of one round side by side."""
        if calls and note is not None:
            note([message.delivery for call in calls for message in call], ())
        if len(calls) < 2:
            return [self._callers[0].call(call) for call in calls]
        with ThreadPoolExecutor(len(calls)) as crew:
            return list(crew.map(Caller.call, self._callers, calls))


def _noted(outcomes: list[Outcome], note: Note | None) -> list[Outcome]:
    """Note what was answered as soon as it is known, before anybody acts on it."""
    if outcomes and note is not None:
        note((), outcomes)
    return outcomes
