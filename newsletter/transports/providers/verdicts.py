"""What an answer, or the lack of one, means for a delivery and for the sender."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import requests
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from botocore import exceptions as aws
from urllib3.exceptions import NewConnectionError

from newsletter.transports.base import State, Unavailable
from newsletter.transports.providers.response import ProviderResponse, read_response
from newsletter.transports.reach import OutOfReach
from newsletter.transports.replies import redacted

LOST: Final = {504, 520, 524}
"""A gateway that waited in vain: nobody knows what became of the call behind it."""
_OURS: Final = {300, 301, 302, 303, 305, 307, 308, 401, 402, 403, 404, 405, 407, 410}
"""Wrong credentials, address, plan or account: every further mail would fare the same."""
_REST: Final = {420, 429}
_LATER: Final = {408, 425}

REFUSED_RECIPIENT: Final = 550
REFUSED_CALL: Final = 501
TOO_LARGE: Final = 552
"""What a mail server says for the same (RFC 5321 §4.2.3): a no of HTTP has a 4 in front, which
everybody who reads outcomes would take for "try again"."""

_STATES: Final[dict[str | None, State]] = {
    "sent": "sent", "queued": "sent", "invalid": "failed", "rejected": "failed", "failed": "failed",
}  # fmt: skip
"""django-anymail's word for a recipient → ours."""

_MANDRILL: Final = {
    "Invalid_Key": 401, "PaymentRequired": 402, "Unknown_Subaccount": 403, "ValidationError": 400,
}  # fmt: skip
_POSTAL: Final = {
    "AccessDenied": 401, "InvalidServerAPIKey": 401, "ServerSuspended": 403,
    "UnauthenticatedFromAddress": 403, "InternalServerError": 500,
}  # fmt: skip
_POSTMARK: Final = {10: 401, 400: 403, 401: 403, 405: 402, 412: 403, 413: 403}
_AMAZON: Final = {
    "AccountSuspendedException": 403, "SendingPausedException": 403,
    "MailFromDomainNotVerifiedException": 403, "NotFoundException": 403,
    "ConfigurationSetDoesNotExistException": 403,
    "Throttling": 429, "ThrottlingException": 429, "TooManyRequestsException": 429,
    "LimitExceededException": 429,
}  # fmt: skip


class Verdict(NamedTuple):
    """What became of one message, or of one whole call."""

    state: State
    code: int
    words: str
    trouble: Unavailable | None = None
    """Set where nothing more can be sent for now."""
    is_lost: bool = False
    """Whether the call went out and nobody knows its end."""
    is_refused: bool = False
    """Whether the call as a whole was refused: nothing of it was accepted."""


def verdict_on_recipient(statuses: Iterable[str | None], response: ProviderResponse) -> Verdict:
    """Return the verdict on the one recipient of a call that was answered (A-7).

    ``statuses`` are django-anymail's words for the recipient; a provider that spells the address
    in another way leaves a second one, which says unknown.
    """
    states = {_STATES.get(status, "unknown") for status in statuses}
    known = states - {"unknown"}
    state = known.pop() if len(known) == 1 else "unknown"
    if state == "sent":
        return Verdict("sent", response.status, "accepted")
    if state == "failed" and "temporary_unavailable" not in response.words:
        return Verdict("failed", REFUSED_RECIPIENT, response.words)
    return Verdict("deferred" if state == "failed" else "unknown", response.status, response.words)


def verdict_on_error(provider: str, error: Exception) -> Verdict:
    """Return the verdict on whatever django-anymail raised for one call (A-8)."""
    if isinstance(error, OutOfReach):
        return _stop(0, f"the provider's address cannot be used: {error}")
    if isinstance(error, AnymailConfigurationError):
        return _stop(0, redacted(str(error)))
    if isinstance(
        error, AnymailUnsupportedFeature | AnymailInvalidAddress | AnymailSerializationError
    ):
        return Verdict("failed", 0, redacted(str(error.args[0] if error.args else error)))
    response = getattr(error, "response", None)
    if response is not None:
        return verdict_on_response(provider, read_response(response))
    cause = error.__cause__
    if isinstance(cause, requests.RequestException | aws.BotoCoreError):
        return _verdict_on_silence(cause)
    if isinstance(error, AnymailError):
        return _stop(0, redacted(str(error.args[0] if error.args else error)))
    return Verdict("unknown", 0, f"the answer could not be read: {type(error).__name__}")


def verdict_on_response(provider: str, response: ProviderResponse) -> Verdict:
    """Return the verdict on a call that was answered with anything but what we hoped for."""
    status, reason = _true_status(provider, response), response.words
    if status < 300 or (status == 409 and provider == "resend"):
        return Verdict("unknown", response.status, f"no clear answer: {reason}", is_lost=True)
    if status in LOST:
        return Verdict("unknown", status, reason, is_lost=True)
    if status in _OURS:
        return _stop(status, reason)
    if status in _REST:
        rest = Unavailable(reason, code=status, retry_after=response.retry_after)
        return Verdict("unsent", 0, reason, rest)
    if status >= 500 or status in _LATER:
        return Verdict("deferred", status, reason)
    code = TOO_LARGE if status == 413 else REFUSED_CALL
    return Verdict("failed", code, f"{reason} (HTTP {response.status})", is_refused=True)


def _stop(status: int, reason: str) -> Verdict:
    return Verdict("unsent", 0, reason, Unavailable(reason, configuration=True, code=status))


def _verdict_on_silence(cause: Exception) -> Verdict:
    """Return the verdict where no answer came: did the call go out or not (A-8)?"""
    reason = redacted(f"no answer: {type(cause).__name__}")
    if _never_went(cause):
        reason = f"cannot reach the provider: {type(cause).__name__}"
        return Verdict("unsent", 0, reason, Unavailable(reason))
    if isinstance(cause, ValueError | aws.NoCredentialsError | aws.PartialCredentialsError):
        return _stop(
            0, f"the provider's address or credentials cannot work: {type(cause).__name__}"
        )
    if isinstance(cause, aws.ParamValidationError):
        return Verdict("failed", 0, redacted(str(cause)))
    return Verdict("unknown", 0, reason, is_lost=True)


def _never_went(cause: Exception) -> bool:
    """Whether the connection was never there, so that nothing can have been taken."""
    if isinstance(
        cause,
        requests.exceptions.ConnectTimeout
        | requests.exceptions.SSLError
        | requests.exceptions.ProxyError
        | aws.EndpointConnectionError
        | aws.ConnectTimeoutError
        | aws.SSLError
        | aws.ProxyConnectionError,
    ):
        return True
    inner = cause.args[0] if cause.args else None
    return isinstance(getattr(inner, "reason", inner), NewConnectionError)


def _true_status(provider: str, response: ProviderResponse) -> int:
    """Return the status a provider means, where it says it in the body instead."""
    data: Any = response.data if isinstance(response.data, dict) else {}
    if provider == "mandrill":
        return _MANDRILL.get(str(data.get("name")), response.status)
    if provider == "postmark":
        code = data.get("ErrorCode") or 0
        return _POSTMARK.get(code, 422 if code and response.status < 300 else response.status)
    if provider == "amazon_ses":
        return _AMAZON.get(str(data.get("Code")), response.status)
    if provider == "postal" and data.get("status") in ("error", "parameter-error"):
        inner = data.get("data")
        name = str(inner.get("code")) if isinstance(inner, dict) else ""
        return _POSTAL.get(name, 400 if response.status < 300 else response.status)
    if provider == "mailtrap" and data.get("success") is False and response.status < 300:
        return 400
    if provider == "mailgun" and "Magnificent API" in response.text:
        return 404
    return response.status


def is_processed_before(provider: str, response: ProviderResponse) -> bool:
    """Whether the provider says that it processed a call with this key before."""
    data = response.data if isinstance(response.data, dict) else {}
    return provider == "brevo" and data.get("code") == "duplicate_parameter"
