"""Every provider as the tests know it: its calls, its answers, its ways of saying no."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest

from newsletter.rendering.renderer import Renderer
from newsletter.transports import Message, Outcome, Unavailable
from newsletter.transports.providers import (
    PROVIDERS,
    ProviderSettings,
    ProviderTransport,
    provider_settings,
)
from tests import mail_links
from tests.newsletter.mails import ada, ready
from tests.newsletter.transports.providers import by_batch, by_single
from tests.newsletter.transports.providers.recording import Call, RecordingApi, Reply
from tests.newsletter.transports.providers.seen import Seen

NAMES = sorted(PROVIDERS)
BATCHES = [name for name in NAMES if PROVIDERS[name].batch > 1]
KEYED = [name for name in NAMES if PROVIDERS[name].idempotency]
SAYS_WHO = ["mailersend", "mailjet", "mailtrap", "mandrill", "postmark", "scaleway", "sparkpost",
            "unisender_go"]  # fmt: skip
"""Those that can take a call and refuse a recipient of it in the answer."""
TAKES_PLACEHOLDERS = ["brevo", "unisender_go"]
"""Those that evaluate ``{{ x }}`` and have no way to print it."""
SECRET = "key-for-tests"
DATE = b"Mon, 23 Nov 2026 08:00:00 GMT"


def mail(number: int, *, address: str = "", name: str = "", **changes: Any) -> Message:
    """Return the rendered campaign mail of recipient ``number``."""
    to = address or f"r{number}@example.org"
    person = ada(delivery=number, address=to, name=name or f"Person {number}", subscription=number)
    data = ready(**changes).render(person, date=DATE)
    verp = mail_links.verp(number, "b.client.example")
    return Message(number, verp, to, data, from_name=changes.get("from_name", "Ärzte & Co"))


def letters(count: int) -> list[Message]:
    """Return so many campaign mails, all alike but for the person."""
    return [_letter(number) for number in range(1, count + 1)]


@cache
def _letter(number: int) -> Message:
    """Render the mail of one recipient; hundreds of tests send the same ones."""
    address = f"r{number}@example.org"
    person = ada(delivery=number, address=address, name=f"Person {number}", subscription=number)
    verp = mail_links.verp(number, "b.client.example")
    return Message(number, verp, address, _renderer().render(person, date=DATE))


@cache
def _renderer() -> Renderer:
    return ready()


def settings_at(name: str, api: RecordingApi | str, **changes: Any) -> ProviderSettings:
    """Return the settings of a sender at this provider, its API at the test's own server."""
    typed = {field.name: SECRET for field in PROVIDERS[name].fields if field.required}
    typed |= {"api_url": api if isinstance(api, str) else api.url}
    if name == "amazon_ses":
        typed["region"] = "eu-central-1"
        typed["api_url"] = typed["api_url"].rstrip("/")
    made = provider_settings(name, typed)
    fields = {"connect": 1.0, "read": 2.0, "pause": 0.01} | changes
    return ProviderSettings(
        provider=name, credentials=made.credentials, api_url=made.api_url, **fields
    )


@contextmanager
def wire(name: str, api: RecordingApi | str, **changes: Any) -> Iterator[ProviderTransport]:
    """Open a transport, and close it."""
    made = ProviderTransport(settings_at(name, api, **changes))
    try:
        yield made
    finally:
        made.close()


def by_delivery(outcomes: Iterable[Outcome]) -> dict[int, Outcome]:
    """Sort outcomes by delivery, having checked that none comes twice."""
    sorted_outcomes: dict[int, Outcome] = {}
    for outcome in outcomes:
        assert outcome.delivery not in sorted_outcomes
        sorted_outcomes[outcome.delivery] = outcome
    return sorted_outcomes


def drained(
    transport: ProviderTransport, messages: list[Message]
) -> tuple[dict[int, Outcome], Unavailable]:
    """Read every outcome and the Unavailable that comes after them."""
    outcomes: list[Outcome] = []
    with pytest.raises(Unavailable) as away:
        for outcome in transport.send(messages):
            outcomes.append(outcome)
    return by_delivery(outcomes), away.value


def read(name: str, call: Call) -> list[Seen]:
    """Return what a call would send, message by message."""
    seens: list[Seen] = getattr(by_batch if name in BATCHES else by_single, f"read_{name}")(call)
    return seens


class Provider:
    """Answers like a provider and counts what it accepted, by recipient."""

    def __init__(self, name: str, *, bad: Iterable[str] = (), whole: bool = False) -> None:
        self.name = name
        self._bad = set(bad)
        self._whole = whole or name not in SAYS_WHO
        self.accepted: Counter[str] = Counter()
        self.seen: list[Seen] = []

    def __call__(self, call: Call) -> Reply:
        """Take a call: refuse it for a bad address, or a part of it, or none."""
        seens = read(self.name, call)
        bad = [seen.to for seen in seens if seen.to in self._bad]
        if bad and self._whole:
            return says_no(self.name, 400, f"the address {bad[0]} does not exist")
        self.seen += seens
        self.accepted.update(seen.to for seen in seens if seen.to not in bad)
        if self.name in BATCHES:
            return by_batch.accept(self.name, call, seens, bad)
        return by_single.accept(self.name, seens[0], bool(bad))


def says_no(name: str, status: int, text: str, **headers: str) -> Reply:
    """Answer a whole call with an error, in the provider's own shape."""
    if name == "mandrill":
        named = {400: "ValidationError", 401: "Invalid_Key", 403: "Invalid_Key"}
        body = {"status": "error", "name": named.get(status, "GeneralError"), "message": text}
        return Reply(500 if status in named else status, body, headers)
    if name == "postal" and status in (400, 401, 403):
        code = {400: "ValidationError", 401: "InvalidServerAPIKey", 403: "ServerSuspended"}[status]
        return Reply(200, {"status": "error", "data": {"code": code, "message": text}}, headers)
    if name == "amazon_ses":
        kinds = {400: "MessageRejected", 401: "UnrecognizedClientException",
                 403: "AccessDeniedException", 429: "TooManyRequestsException"}  # fmt: skip
        headers["x-amzn-ErrorType"] = kinds.get(status, "InternalServiceErrorException")
        return Reply(status, {"message": text}, headers)
    if name == "postmark":
        number = {400: 300, 401: 10, 403: 412}.get(status)
        error = {"Message": text} | ({"ErrorCode": number} if number else {})
        return Reply(422 if status == 400 else status, error, headers)
    return Reply(status, _ERRORS[name](text), headers)


_ERRORS: dict[str, Any] = {
    "brevo": lambda text: {"code": "invalid_parameter", "message": text},
    "mailersend": lambda text: {"message": text, "errors": {"to.0.email": [text]}},
    "mailgun": lambda text: {"message": text},
    "mailjet": lambda text: {"ErrorIdentifier": "0-1", "ErrorCode": "mj-1", "ErrorMessage": text},
    "mailtrap": lambda text: {"success": False, "errors": [text]},
    "postal": lambda text: text,
    "resend": lambda text: {"name": "validation_error", "message": text},
    "scaleway": lambda text: {"type": "invalid_arguments", "message": text},
    "sendgrid": lambda text: {"errors": [{"message": text, "field": "to", "help": None}]},
    "sparkpost": lambda text: {"errors": [{"message": text, "code": "1300"}]},
    "unisender_go": lambda text: {"status": "error", "message": text, "code": 204},
}
