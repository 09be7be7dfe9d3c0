"""Many whole messages in one call, each with its own fields, metadata and body (A-1, A-6)."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin

import requests

Joined = list[Any] | dict[str, Any]


class BatchApi(NamedTuple):
    """How one provider takes many messages at once, and answers."""

    endpoint: str
    join: Callable[[list[Any]], Joined]
    """The data of single calls → the data of one call."""
    split: Callable[[Any], Any]
    """The answer → a list of the answers to single calls, in order; no list where it has none."""


def _mailjet(each: dict[str, Any]) -> dict[str, Any]:
    return {**each["Globals"], **each["Messages"][0]}


def _list_under(name: str) -> Callable[[Any], Any]:
    return lambda answer: answer.get(name) if isinstance(answer, dict) else None


def _mailjet_answers(answer: Any) -> Any:
    found = answer.get("Messages") if isinstance(answer, dict) else None
    return [{"Messages": [each]} for each in found] if isinstance(found, list) else None


WAYS: Final = {
    "mailjet": BatchApi(
        "send", lambda those: {"Messages": list(map(_mailjet, those))}, _mailjet_answers
    ),
    "mailtrap": BatchApi("batch", lambda those: {"requests": those}, _list_under("responses")),
    "postmark": BatchApi("email/batch", lambda those: those, lambda answer: answer),
    "resend": BatchApi("emails/batch", lambda those: those, _list_under("data")),
}


class BatchPayload:
    """Several payloads as one; stands where django-anymail expects a payload."""

    def __init__(self, provider: str, payloads: Sequence[Any], api_url: str, key: str) -> None:
        self._params: dict[str, Any] = payloads[0].get_request_params(api_url)
        singles = [self._params, *(each.get_request_params(api_url) for each in payloads[1:])]
        way = WAYS[provider]
        self._params["url"] = urljoin(api_url, _endpoint(way, payloads[0]))
        self._params["data"] = json.dumps(way.join([json.loads(each["data"]) for each in singles]))
        if provider == "resend":
            self._params["headers"] = {**self._params["headers"], "Idempotency-Key": key}

    @property
    def size(self) -> int:
        """Return how many octets the call has."""
        return len(self._params["data"])

    def get_request_params(self, api_url: str) -> dict[str, Any]:
        """Return what requests needs for the one call."""
        return dict(self._params)


def _endpoint(way: BatchApi, payload: Any) -> str:
    """Return where batches go; a sandbox of Mailtrap has its number behind."""
    _, slash, sandbox = str(payload.get_api_endpoint()).partition("send/")
    return f"{way.endpoint}/{sandbox}" if slash else way.endpoint


def answers(provider: str, response: requests.Response, count: int) -> list[requests.Response]:
    """Return the answer to each message as if it had been called out alone; empty where not so."""
    try:
        found = WAYS[provider].split(response.json())
    except ValueError:
        return []
    if not isinstance(found, list) or len(found) != count:
        return []
    return [_alone(response, each) for each in found]


def _alone(response: requests.Response, data: Any) -> requests.Response:
    made = requests.Response()
    made.status_code = 200
    made.headers = response.headers
    made._content = json.dumps(data).encode()
    return made
