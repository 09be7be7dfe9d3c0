"""A mail provider's API on loopback: takes batches as Postmark or Resend does, and misbehaves."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.faults.mail import Seen
from tests.newsletter.transports.providers.recording import Call, RecordingApi, Reply

Mood = Callable[["Provider", list[str]], Reply | None]
"""Given the recipients of a call, the answer; None: as usual."""
SILENCE = Reply(status=0)
BAD = ("reader13@", "reader77@")
"""How the addresses begin that the provider calls no addresses."""


class Provider:
    """Notes what it read and what it accepted, by recipient, before it says so."""

    def __init__(self, name: str, mood: Mood, *, thinks: float = 0.0) -> None:
        self.name, self.mood, self.thinks = name, mood, thinks
        self.events: list[Seen] = []
        self.calls = 0
        self.is_batch = False
        self.refused_at = 0.0
        self.known: dict[str, Reply] = {}
        """Idempotency key → what was answered, where the provider looks at keys."""
        self.api = RecordingApi(self._answer)
        self.api.start()

    @property
    def credentials(self) -> dict[str, str]:
        """Return what a sender needs to know."""
        field = "server_token" if self.name == "postmark" else "api_key"
        return {field: "a key for tests", "api_url": self.api.url}

    def seen(self) -> list[Seen]:
        """Return what was noted."""
        return list(self.events)

    def accept(self, people: list[str]) -> Reply:
        """Take the mail of these, and answer as the provider does."""
        self.note("accepted", people)
        if self.name == "postmark":
            return self._said([self.taken(person) for person in people])
        return self._said([{"id": f"made-up-{person}"} for person in people])

    def taken(self, person: str) -> dict[str, Any]:
        """Return Postmark's good answer for one."""
        return {"ErrorCode": 0, "Message": "OK", "MessageID": f"made-up-{person}", "To": person}

    def note(self, what: str, people: list[str]) -> None:
        """Write one event down for each."""
        self.events += [Seen(what, time.time(), self.calls, person) for person in people]

    def _said(self, answers: list[dict[str, Any]]) -> Reply:
        if self.name == "postmark":
            return Reply(200, answers if self.is_batch else answers[0])
        return Reply(200, {"data": answers} if self.is_batch else answers[0])

    def _answer(self, call: Call) -> Reply:
        """Answer one call; calls come one at a time (the recording server's lock)."""
        key = call.headers.get("Idempotency-Key", "") if self.name == "resend" else ""
        if key in self.known:
            return self.known[key]
        self.calls += 1
        self.is_batch = call.path.endswith("batch")
        mails = call.data if self.is_batch else [call.data]
        people = [address(mail) for mail in mails]
        self.note("begun", people)
        reply = replace(self.mood(self, people) or self.accept(people), after=self.thinks)
        if key and {event.recipient for event in self.events if event.what == "accepted"} & {
            *people
        }:
            self.known[key] = (
                reply
                if reply.status
                else self._said([{"id": f"made-up-{person}"} for person in people])
            )
        return reply


def address(mail: dict[str, Any]) -> str:
    """Return the one recipient of a mail, without the name."""
    to = mail.get("To") or mail["to"]
    text = str(to[0] if isinstance(to, list) else to)
    return text.partition("<")[2].rstrip(">") or text


def well(provider: Provider, people: list[str]) -> Reply | None:
    """Take everything."""
    return None


def refuses_some(provider: Provider, people: list[str]) -> Reply | None:
    """200, and in it a refusal of every tenth by name."""
    good = [person for person in people if not person.startswith("reader1")]
    provider.note("accepted", good)
    answers = [provider.taken(person) if person in good else inactive(person) for person in people]
    return Reply(200, answers if provider.is_batch else answers[0])


def inactive(person: str) -> dict[str, Any]:
    """Return Postmark's refusal of one it knows to bounce."""
    message = (
        "You tried to send to a recipient that has been marked as inactive.\n"
        f"Found inactive addresses: {person}.\n"
        "Inactive recipients are ones that have generated a hard bounce or a spam complaint. "
    )
    return {"ErrorCode": 406, "Message": message}


def refuses_the_whole_for_one(provider: Provider, people: list[str]) -> Reply | None:
    """400 for a whole batch with one bad address in it."""
    if not any(person.startswith(BAD) for person in people):
        return None
    message = "Invalid `to` field. Please use a valid address."
    return Reply(400, {"statusCode": 400, "name": "validation_error", "message": message})


def knows_no_key(provider: Provider, people: list[str]) -> Reply | None:
    """401 to everything."""
    return Reply(401, {"ErrorCode": 10, "Message": "Bad or missing Server API token."})


def asks_for_a_rest(provider: Provider, people: list[str]) -> Reply | None:
    """429 with Retry-After to the second call."""
    if provider.calls != 2:
        return None
    provider.refused_at = time.time()
    answer = {"ErrorCode": 429, "Message": "Rate limit exceeded."}
    return Reply(429, answer, {"Retry-After": "3"})


def breaks(provider: Provider, people: list[str]) -> Reply | None:
    """500 to every second call."""
    if provider.calls % 2:
        return None
    return Reply(500, {"ErrorCode": 0, "Message": "Internal server error"})


def falls_silent(provider: Provider, people: list[str]) -> Reply | None:
    """Take the second call's mail and hang up without a word."""
    if provider.calls == 2:
        provider.accept(people)
        return SILENCE
    return None


def accepted_by(provider: Provider) -> Counter[str]:
    """Return how often each recipient's mail was accepted."""
    return Counter(event.recipient for event in provider.events if event.what == "accepted")
