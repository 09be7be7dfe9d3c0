"""What a provider said: its status, its words fit to be kept, and when it wants us back."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from newsletter.transports.replies import redacted

REST_SECONDS: Final = 60
"""Seconds to leave a provider alone that does not say for how long."""
SENTENCE_LONGEST: Final = 120
"""Characters of an answer that is no JSON, beyond which it is a page of some server."""
LONGEST_REST_SECONDS: Final = 24 * 3600

_NOISE: Final = {
    "_id", "customid", "document", "email", "erroridentifier", "errorrelatedto", "field", "flags",
    "help", "id", "link", "message_id", "messageid", "parameters", "status", "statuscode",
    "submittedat", "time", "to", "type",
}  # fmt: skip
"""Names under which an answer holds no sentence for a person."""


class ProviderResponse(NamedTuple):
    """One answer of a provider to one call."""

    status: int
    data: Any
    """The JSON of the answer, None where there was none."""
    text: str
    headers: Mapping[str, str]

    @property
    def words(self) -> str:
        """Return its words without addresses, short."""
        sentences = dict.fromkeys(_sentences(self.data))
        text = self.text.strip()
        is_sentence = text.isprintable() and "<" not in text and len(text) <= SENTENCE_LONGEST
        shown = "; ".join(sentences) or (text if is_sentence else "")
        return redacted(shown or f"HTTP {self.status} without a word")

    @property
    def retry_after(self) -> int:
        """Return the seconds to wait, from either form of Retry-After (RFC 9110 §10.2.3)."""
        header = self.headers.get("Retry-After", self.headers.get("retry-after", "")).strip()
        if header.isdecimal():
            return _within(int(header[:9]))
        try:
            until = parsedate_to_datetime(header)
        except (TypeError, ValueError):
            return REST_SECONDS
        until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
        return _within(round((until - datetime.now(UTC)).total_seconds()))


def read_response(response: Any) -> ProviderResponse:
    """Return what an answer says, from requests or from Amazon's client."""
    if isinstance(response, Mapping):
        return _from_amazon(response)
    text = response.text if len(response.content) < 1_000_000 else ""
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    return ProviderResponse(
        response.status_code, data, "" if data is not None else text, response.headers
    )


def _from_amazon(response: Mapping[str, Any]) -> ProviderResponse:
    about = response.get("ResponseMetadata", {})
    return ProviderResponse(
        int(about.get("HTTPStatusCode", 0)),
        response.get("Error", {}),
        "",
        {name.title(): value for name, value in about.get("HTTPHeaders", {}).items()},
    )


def _within(seconds: int) -> int:
    return max(1, min(LONGEST_REST_SECONDS, seconds))


def _sentences(data: object, *, depth: int = 0) -> Iterator[str]:
    """Yield what a JSON answer says in words, whatever its shape."""
    if isinstance(data, str) and data.strip():
        yield data.strip()
    elif isinstance(data, list) and depth < 6:
        for item in data[:20]:
            yield from _sentences(item, depth=depth + 1)
    elif isinstance(data, dict) and depth < 6:
        for name, item in data.items():
            if name.lower() not in _NOISE:
                yield from _sentences(item, depth=depth + 1)
