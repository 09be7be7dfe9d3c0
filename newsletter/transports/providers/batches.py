"""Many whole messages in one call, each with its own fields, metadata and body (A-1, A-6)."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin

import requests
from anymail.backends.base import BasePayload

Fields = dict[str, Any]
"""An object of JSON."""
Joined = list[Fields] | Fields


class BatchApi(NamedTuple):
    """How one provider takes many messages at once, and answers."""

    endpoint: str
    join: Callable[[list[Fields]], Joined]
    """The data of single calls → the data of one call."""
    split: Callable[[object], object]
    """The answer → a list of the answers to single calls, in order; no list where it has none."""


def _mailjet(single: Fields) -> Fields:
    return {**single["Globals"], **single["Messages"][0]}


def _list_under(name: str) -> Callable[[object], object]:
    return lambda answer: answer.get(name) if isinstance(answer, dict) else None


def _mailjet_answers(answer: object) -> object:
    messages = answer.get("Messages") if isinstance(answer, dict) else None
    return [{"Messages": [message]} for message in messages] if isinstance(messages, list) else None


WAYS: Final = {
    "mailjet": BatchApi(
        "send", lambda singles: {"Messages": list(map(_mailjet, singles))}, _mailjet_answers
    ),
    "mailtrap": BatchApi("batch", lambda singles: {"requests": singles}, _list_under("responses")),
    "postmark": BatchApi("email/batch", lambda singles: singles, lambda answer: answer),
    "resend": BatchApi("emails/batch", lambda singles: singles, _list_under("data")),
}


class BatchPayload:
    """Several payloads as one; stands where django-anymail expects a payload."""

    def __init__(
        self, provider: str, payloads: Sequence[BasePayload], api_url: str, key: str
    ) -> None:
        self._params: Fields = payloads[0].get_request_params(api_url)
        singles = [self._params, *(payload.get_request_params(api_url) for payload in payloads[1:])]
        way = WAYS[provider]
        self._params["url"] = urljoin(api_url, _endpoint(way, payloads[0]))
        self._params["data"] = json.dumps(
            way.join([json.loads(single["data"]) for single in singles])
        )
        if provider == "resend":
            self._params["headers"] = {**self._params["headers"], "Idempotency-Key": key}

    @property
    def size(self) -> int:
        """Return how many octets the call has."""
        return len(self._params["data"])

    def get_request_params(self, api_url: str) -> Fields:
        """Return what requests needs for the one call."""
        return dict(self._params)


def _endpoint(way: BatchApi, payload: BasePayload) -> str:
    """Return where batches go; a sandbox of Mailtrap has its number behind."""
    _, slash, sandbox = str(payload.get_api_endpoint()).partition("send/")
    return f"{way.endpoint}/{sandbox}" if slash else way.endpoint


def split_response(
    provider: str, response: requests.Response, count: int
) -> list[requests.Response]:
    """Return the answer to each message as if it had been called out alone; empty where not so."""
    try:
        parts = WAYS[provider].split(response.json())
    except ValueError:
        return []
    if not isinstance(parts, list) or len(parts) != count:
        return []
    return [_alone(response, part) for part in parts]


def _alone(response: requests.Response, data: object) -> requests.Response:
    single = requests.Response()
    single.status_code = 200
    single.headers = response.headers
    single._content = json.dumps(data).encode()
    return single
