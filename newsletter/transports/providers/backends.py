"""The django-anymail backend of a provider, made for one sender and told what it cannot be told."""

import functools
import uuid
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from anymail.backends.base import AnymailBaseBackend, BasePayload
from anymail.exceptions import AnymailNotSupportedWarning

from newsletter.transports.providers.catalogue import PROVIDERS
from newsletter.transports.providers.guarded_http import GuardedAdapter
from newsletter.transports.providers.placeholders import without_placeholders
from newsletter.transports.providers.settings import ProviderSettings
from newsletter.transports.providers.unpacking import Unpacked
from newsletter.transports.reach import Guard

_SPACE: Final = uuid.UUID("6f0a1c5e-6d2b-5b0e-9f53-1c2d7e8a9b40")
"""Brevo wants its keys to be UUIDs; ours are made from the token under this name."""


class TunedBackend:
    """Adds to a payload what django-anymail has no name for."""

    heed_provider: str
    heed_guard: Guard | None = None

    def build_message_payload(self, message: Unpacked, defaults: dict[str, object]) -> BasePayload:
        """Return the payload of one message, complete."""
        payload = super().build_message_payload(message, defaults)  # type: ignore[misc]
        tell = _TOLD.get(self.heed_provider)
        if tell is not None:
            tell(payload, message)
        return payload

    def create_session(self) -> Any:
        """Return a session that follows no redirect: a mail and its key go to one place only."""
        session = super().create_session()  # type: ignore[misc]
        if self.heed_guard is not None:
            for scheme in ("http://", "https://"):
                session.mount(scheme, GuardedAdapter(self.heed_guard))
        session.request = functools.partial(session.request, allow_redirects=False)
        return session


def _tell_resend(payload: BasePayload, message: Unpacked) -> None:
    payload.headers["Idempotency-Key"] = message.key


def _tell_brevo(payload: BasePayload, message: Unpacked) -> None:
    payload.data["headers"]["idempotencyKey"] = str(uuid.uuid5(_SPACE, message.key))


def _tell_mandrill(payload: BasePayload, message: Unpacked) -> None:
    payload.data["message"]["merge"] = False


def _tell_postal(payload: BasePayload, message: Unpacked) -> None:
    name, value = PROVIDERS["postal"].tracking_header or ("", "")
    payload.data["headers"][name] = value


def _tell_postmark(payload: BasePayload, message: Unpacked) -> None:
    """Ask it to keep our Message-ID; it takes this field out again."""
    payload.data["Headers"].append({"Name": "X-PM-KeepID", "Value": "true"})


def _tell_sendgrid(payload: BasePayload, message: Unpacked) -> None:
    payload.data["tracking_settings"]["subscription_tracking"] = {"enable": False}


def _tell_sparkpost(payload: BasePayload, message: Unpacked) -> None:
    without_placeholders(payload.data)


_TOLD: Final[dict[str, Callable[[BasePayload, Unpacked], None]]] = {
    "brevo": _tell_brevo,
    "mandrill": _tell_mandrill,
    "postal": _tell_postal,
    "postmark": _tell_postmark,
    "resend": _tell_resend,
    "sendgrid": _tell_sendgrid,
    "sparkpost": _tell_sparkpost,
}


@functools.cache
def _class_of(provider: str) -> Any:
    """Return the backend's class; never by get_connection (A-11)."""
    backend_class = import_module(f"anymail.backends.{provider}").EmailBackend
    return type(f"{provider}_backend", (TunedBackend, backend_class), {"heed_provider": provider})


def backend(settings: ProviderSettings) -> AnymailBaseBackend:
    """Return the backend of a sender, closed; raises AnymailConfigurationError."""
    options = _ses(settings) if settings.provider == "amazon_ses" else _by_key(settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnymailNotSupportedWarning)
        anymail_backend: AnymailBaseBackend = _class_of(settings.provider)(
            ignore_unsupported_features=False,
            ignore_recipient_status=True,  # we look at each recipient ourselves
            debug_api_requests=False,
            **options,
        )
    anymail_backend.send_defaults = {}
    anymail_backend.heed_guard = settings.guard if settings.api_url else None
    return anymail_backend


def _by_key(settings: ProviderSettings) -> dict[str, object]:
    options: dict[str, object] = dict(settings.credentials)
    if settings.api_url:
        options["api_url"] = settings.api_url
    return options | {"timeout": (settings.connect, settings.read)}


def _ses(settings: ProviderSettings) -> dict[str, object]:
    """Return what Amazon's client needs; it must not try again by itself (A-8)."""
    known = settings.credentials
    client: dict[str, object] = {
        "config": {
            "connect_timeout": settings.connect,
            "read_timeout": settings.read,
            "retries": {"total_max_attempts": 1},
        }
    }
    if settings.api_url:
        client["endpoint_url"] = settings.api_url
    return {
        "session_params": {
            "aws_access_key_id": known["access_key_id"],
            "aws_secret_access_key": known["secret_access_key"],
            "region_name": known["region"],
        },
        "client_params": client,
        "configuration_set_name": known.get("configuration_set"),
        "message_tag_name": None,
    }
