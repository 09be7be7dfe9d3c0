"""One call to a provider's API with one message or a batch, and what became of each."""

import logging
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import requests
from anymail.backends.base import BasePayload
from anymail.exceptions import AnymailAPIError, AnymailError

from newsletter.transports.base import Message, Outcome, Unavailable
from newsletter.transports.providers.backends import backend
from newsletter.transports.providers.batches import BatchPayload, split_response
from newsletter.transports.providers.call_queue import unsent
from newsletter.transports.providers.catalogue import PROVIDERS
from newsletter.transports.providers.response import read_response
from newsletter.transports.providers.settings import ProviderSettings
from newsletter.transports.providers.unpacking import NotCarried, Unpacked, unpack
from newsletter.transports.providers.verdicts import (
    Verdict,
    is_processed_before,
    verdict_on_error,
    verdict_on_recipient,
    verdict_on_response,
)
from newsletter.transports.reach import OutOfReach

log = logging.getLogger(__name__)

CALL_TRIES: Final = 3
"""How often a lost call is made in all, where a repeated one is recognised (A-13)."""
_SECRET_SHORTEST: Final = 6


class CallResult(NamedTuple):
    """What one call came to."""

    outcomes: list[Outcome]
    again: list[list[Message]] = []
    """Smaller calls to make instead: this one was refused as a whole, or was too large."""
    trouble: Unavailable | None = None


class Made(NamedTuple):
    """A message ready to be called out."""

    message: Message
    mail: Unpacked
    payload: BasePayload


class Caller:
    """Calls one provider over one kept session; for one thread at a time (A-10)."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._name = settings.provider
        self._provider = PROVIDERS[settings.provider]
        self._pause = settings.pause
        self._backend: Any = backend(settings)
        self._secrets = [
            settings.credentials[field.name]
            for field in self._provider.fields
            if field.secret and len(settings.credentials.get(field.name, "")) >= _SECRET_SHORTEST
        ]
        self._backend.open()

    def close(self) -> None:
        """Close the session; the caller cannot be used after."""
        self._backend.close()

    def call(self, messages: Sequence[Message]) -> CallResult:
        """Call once with these messages; each has an outcome, or comes again in a smaller call."""
        ready = [(message, self._make(message)) for message in messages]
        made = [result for _, result in ready if isinstance(result, Made)]
        verdicts = [(message, result) for message, result in ready if isinstance(result, Verdict)]
        again: list[list[Message]] = []
        if made:
            call_verdicts, again = self._call(made)
            verdicts += call_verdicts
        troubles = [verdict.trouble for _, verdict in verdicts if verdict.trouble is not None]
        outcomes = [self._outcome(message, verdict) for message, verdict in verdicts]
        return CallResult(outcomes, again, self._clean(troubles[0]) if troubles else None)

    def _make(self, message: Message) -> Made | Verdict:
        """Take a message apart and make its payload, or say why it cannot be."""
        try:
            mail = unpack(message, self._name)
            payload = self._backend.build_message_payload(mail, self._backend.send_defaults)
        except NotCarried as why:
            return Verdict("failed", 0, str(why))
        except Exception as error:
            verdict = verdict_on_error(self._name, error)
            if verdict.state == "unknown":  # nothing has gone anywhere yet
                return Verdict("failed", 0, f"cannot be made: {type(error).__name__}")
            return verdict
        return Made(message, mail, payload)

    def _call(self, made: list[Made]) -> tuple[list[tuple[Message, Verdict]], list[list[Message]]]:
        """Make one call; return verdicts, or the smaller calls to make instead."""
        call: BasePayload | BatchPayload = made[0].payload
        if len(made) > 1:
            call = self._joint(made)
            if call.size > self._provider.batch_bytes:
                return [], _halves(made)
        whole, verdicts = self._until_known(call, made)
        if whole.is_refused and len(made) > 1:
            return [], _halves(made)
        return [
            (prepared.message, verdict) for prepared, verdict in zip(made, verdicts, strict=True)
        ], []

    def _joint(self, made: list[Made]) -> BatchPayload:
        key = sha256("\n".join(prepared.mail.key for prepared in made).encode()).hexdigest()
        return BatchPayload(
            self._name, [prepared.payload for prepared in made], self._backend.api_url, key
        )

    def _until_known(
        self, call: BasePayload | BatchPayload, made: list[Made]
    ) -> tuple[Verdict, list[Verdict]]:
        """Call, and where the end is lost and a repeated call is recognised, call again."""
        lost, verdicts = self._once(call, made, is_first=True)
        if not lost.is_lost or not self._provider.idempotency:
            return lost, verdicts
        for number in range(1, CALL_TRIES):
            time.sleep(self._pause * number)
            whole, verdicts = self._once(call, made, is_first=False)
            if whole.state in ("sent", "failed"):
                return whole, verdicts
            if whole.trouble is not None:
                lost = lost._replace(trouble=whole.trouble)
                break
        return lost, [lost] * len(made)  # of the first call nobody knows

    def _once(
        self, call: BasePayload | BatchPayload, made: list[Made], *, is_first: bool
    ) -> tuple[Verdict, list[Verdict]]:
        """Make one call; return the verdict on it and on each message."""
        try:
            response = self._backend.post_to_esp(call, made[0].mail)
            if len(made) == 1:
                verdict = self._read(response, made[0])
                return verdict, [verdict]
            parts = split_response(self._name, response, len(made))
            if parts:
                verdicts = [
                    self._read(part, prepared) for part, prepared in zip(parts, made, strict=True)
                ]
                return Verdict("sent", response.status_code, ""), verdicts
            whole = verdict_on_response(self._name, read_response(response))
        except Exception as error:
            whole = self._of_failed_call(error, is_first=is_first)
        return whole, [whole] * len(made)

    def _of_failed_call(self, error: Exception, *, is_first: bool) -> Verdict:
        if not isinstance(error, AnymailError | OutOfReach):
            log.error("unexpected answer of %s: %s", self._name, type(error).__name__)
        response = getattr(error, "response", None)
        if isinstance(response, requests.Response):
            provider_response = read_response(response)
            if is_processed_before(self._name, provider_response):
                reason = f"it was handed over before: {provider_response.words}"
                return Verdict("unknown" if is_first else "sent", provider_response.status, reason)
        return verdict_on_error(self._name, error)

    def _read(self, response: Any, made: Made) -> Verdict:
        """Read what became of one message from the answer to it alone."""
        try:
            recipients = self._backend.parse_recipient_status(response, made.payload, made.mail)
        except (AnymailAPIError, KeyError, TypeError, ValueError, AttributeError):
            return verdict_on_response(self._name, read_response(response))
        return verdict_on_recipient(
            [recipient.status for recipient in recipients.values()], read_response(response)
        )

    def _outcome(self, message: Message, verdict: Verdict) -> Outcome:
        if verdict.state == "unsent":  # the reason is the sender's, and told by the trouble
            return unsent(message)
        text = self._without_secrets(verdict.words)
        return Outcome(message.delivery, verdict.state, verdict.code, "", text)

    def _clean(self, trouble: Unavailable) -> Unavailable:
        text = self._without_secrets(trouble.words)
        return Unavailable(
            text,
            configuration=trouble.configuration,
            code=trouble.code,
            retry_after=trouble.retry_after,
        )

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "<key>")
        return text


def _halves(made: list[Made]) -> list[list[Message]]:
    """Return the messages in two smaller calls (A-6)."""
    middle = len(made) // 2
    return [[prepared.message for prepared in half] for half in (made[:middle], made[middle:])]
