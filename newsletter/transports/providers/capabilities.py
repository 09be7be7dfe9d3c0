"""What a provider needs to be told, and what it can do."""

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

REFERENCE: Final = "delivery_token"
"""The one thing a provider is told about a delivery, under this name (A-18)."""

Unsubscribe = Literal["yes", "single", "plan", "no"]
"""Own List-Unsubscribe per recipient: in batches too, call by call only, by plan, never."""


@dataclass(frozen=True)
class Field:
    """One credential a person types in."""

    name: str
    label: str
    help: str = ""
    secret: bool = True
    required: bool = True


class Capability(NamedTuple):
    """One line of the checklist; what is not passed and not blocking only warns."""

    passed: bool
    blocking: bool
    words: str


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One provider: how to sign in, and what it does with a mail that is already whole."""

    label: str
    fields: tuple[Field, ...]
    batch: int = 1
    """Messages in one call where each keeps its own headers, metadata and body; 1: no batches."""
    batch_bytes: int = 0
    """The most octets in one call, 0 where batches are not used."""
    unsubscribe: Unsubscribe = "single"
    unsubscribe_words: str = ""
    own_message_id: bool = True
    switches_tracking: bool = False
    """Whether its open and click tracking is switched off in each call."""
    tracking_header: tuple[str, str] | None = None
    """The header field that switches tracking off, where no parameter does."""
    tracking_words: str = ""
    """What to switch off in the account; empty where each call does it."""
    reference: Literal["metadata", "tag"] = "metadata"
    """Where the opaque token of a delivery travels, for what comes back later."""
    idempotency: str = ""
    """How long a repeated call is recognised, empty where it is not."""
    why_single: str = ""
    """Why batches are not used although the provider has them."""
    notes: tuple[str, ...] = field(default=())


def checks_of(provider: Provider) -> list[Capability]:
    """Return what a person must know before mail leaves by this provider, worst first."""
    checks = [
        Capability(
            provider.unsubscribe in ("yes", "single"),
            False,
            provider.unsubscribe_words
            or "Every recipient gets their own one-click unsubscribe header.",
        ),
        Capability(
            not provider.tracking_words,
            False,
            provider.tracking_words
            or "The provider's own open and click tracking is switched off in each call.",
        ),
        Capability(
            provider.own_message_id,
            False,
            "Our own Message-ID is kept."
            if provider.own_message_id
            else "It replaces our Message-ID; what comes back is matched by our token instead.",
        ),
        *(Capability(False, False, note) for note in provider.notes),
    ]
    return sorted(checks, key=lambda check: (check.passed, not check.blocking))
