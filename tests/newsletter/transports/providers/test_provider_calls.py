"""How calls are cut, noted and made: nothing is lost between the engine and a provider.

Mirrors several: newsletter/transports/providers/batches.py,
newsletter/transports/providers/call_queue.py, newsletter/transports/providers/transport.py.
"""

import os
import time
from collections.abc import Iterator

import pytest
from anymail.signals import post_send, pre_send
from pytest_django import Settings

from newsletter.transports import Message, Unavailable
from newsletter.transports.providers import PROVIDERS, ProviderTransport
from tests.newsletter.transports.providers.contracts import (
    BATCHES,
    NAMES,
    Provider,
    by_delivery,
    letters,
    mail,
    read,
    says_no,
    settings_at,
    wire,
)
from tests.newsletter.transports.providers.recording import Call, Reply, recording

ALL = pytest.mark.parametrize("name", NAMES)


def sizes(name: str, messages: list[Message]) -> list[int]:
    """Send; return how many messages each call had."""
    with recording(Provider(name)) as api, wire(name, api, read=20.0) as transport:
        outcomes = by_delivery(transport.send(messages))
        assert {outcome.state for outcome in outcomes.values()} == {"sent"}
        return [len(read(name, call)) for call in api.calls]


def copies(count: int, *, octets: int = 0) -> list[Message]:
    """Return many messages quickly: one mail to many, its text padded."""
    first = mail(1)
    padding = b"x" * 70 + b"\r\n"
    data = first.data.replace(b"Hello", padding * (octets // len(padding)) + b"Hello", 1)
    return [
        first._replace(delivery=number, recipient=f"r{number}@example.org", data=data)
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("name", BATCHES)
def test_a_call_never_holds_more_than_the_provider_takes(name: str) -> None:
    """A-6: nobody else cuts them."""
    most = PROVIDERS[name].batch
    assert sizes(name, copies(2 * most + 1)) == [most, most, 1]


@ALL
def test_a_provider_without_exact_batches_is_called_once_per_message(name: str) -> None:
    """A-1: the default; and everywhere where batches are switched off."""
    with recording(Provider(name)) as api, wire(name, api, batches=False) as transport:
        assert len(list(transport.send(letters(3)))) == 3
        assert len(api.calls) == 3
    if name not in BATCHES:
        assert sizes(name, letters(3)) == [1, 1, 1]


@pytest.mark.parametrize("name", ["mailjet", "resend"])
def test_a_call_never_has_more_octets_than_the_provider_takes(name: str) -> None:
    """A-6: the size is counted before, and once more when the call is made."""
    budget = PROVIDERS[name].batch_bytes
    with recording(Provider(name)) as api, wire(name, api, read=20.0) as transport:
        list(transport.send(copies(7, octets=budget // 3)))
        assert sum(len(read(name, call)) for call in api.calls) == 7
        assert all(len(call.body) <= budget for call in api.calls) and len(api.calls) >= 3


def test_messages_of_two_hand_overs_never_share_a_call() -> None:
    """What must be begun by different moments was let through by different answers of the gate."""
    soon = time.monotonic() + 50
    messages = [message._replace(begin_by=soon + message.delivery // 4) for message in letters(6)]
    assert sizes("postmark", messages) == [3, 3]


@ALL
def test_what_is_too_late_for_its_call_is_unsent(name: str) -> None:
    """The gate's word has grown old: it must be asked again."""
    messages = letters(3)
    messages[1] = messages[1]._replace(begin_by=time.monotonic() - 0.1)
    provider = Provider(name)
    with recording(provider) as api, wire(name, api) as transport:
        outcomes = by_delivery(transport.send(messages))
    assert [outcomes[number].state for number in (1, 2, 3)] == ["sent", "unsent", "sent"]
    assert "r2@example.org" not in provider.accepted
    assert outcomes[2].words == ""  # no fault of its own: it does not count as a try


@pytest.mark.parametrize("name", BATCHES)
def test_a_bad_one_is_found_though_every_half_of_its_batch_comes_too_late(name: str) -> None:
    """A-6: a slow provider that refuses whole batches still gets every mail in the end."""
    provider = Provider(name, bad={"r11@example.org"}, whole=True)

    def script(call: Call) -> Reply:
        reply = provider(call)
        return Reply(reply.status, reply.body, reply.headers, after=0.03)

    open_ones = {message.delivery: message for message in letters(16)}
    states: dict[int, str] = {}
    with recording(script) as api, wire(name, api) as transport:
        for _ in range(60):
            by = time.monotonic() + 0.02  # the call takes longer than any half may wait
            handed = [message._replace(begin_by=by) for message in open_ones.values()]
            for outcome in transport.send(handed):
                if outcome.state != "unsent":
                    states[outcome.delivery] = outcome.state
                    del open_ones[outcome.delivery]
            if not open_ones:
                break
    assert states.pop(11) == "failed" and set(states.values()) == {"sent"} and len(states) == 15
    assert sorted(provider.accepted.values()) == [1] * 15


def test_what_the_messages_raise_comes_after_every_outcome() -> None:
    """The wire's contract: nothing pulled is forgotten."""

    def breaking() -> Iterator[Message]:
        yield from letters(3)
        raise LookupError("the ledger went away")

    outcomes = []
    with recording(Provider("mailjet")) as api, wire("mailjet", api) as transport:
        with pytest.raises(LookupError, match="ledger"):
            for outcome in transport.send(breaking()):
                outcomes.append(outcome)
        assert [outcome.state for outcome in outcomes] == ["sent"] * 3
        assert [outcome.state for outcome in transport.send([mail(9)])] == ["sent"]


@pytest.mark.parametrize("name", ["postmark", "sendgrid"])
def test_what_was_pulled_and_not_called_is_unsent_when_the_provider_goes(name: str) -> None:
    """A-8: also the message that had been pulled to see whether it belongs to the same call."""
    messages = [
        message._replace(begin_by=time.monotonic() + 50 + message.delivery)
        for message in letters(5)
    ]
    pulled, ended = [], []

    def pulling() -> Iterator[Message]:
        for message in messages:
            pulled.append(message.delivery)
            yield message

    script = says_no(name, 401, "no")
    with (
        recording(lambda call: script) as api,
        wire(name, api) as transport,
        pytest.raises(Unavailable),
    ):
        for outcome in transport.send(pulling()):
            ended.append(outcome.delivery)
    assert ended == pulled and len(pulled) == (2 if name == "postmark" else 1)


@ALL
def test_many_calls_go_over_one_session(name: str) -> None:
    """A-10: one kept connection, also from one send to the next."""
    with recording(Provider(name)) as api, wire(name, api, batches=False) as transport:
        for _ in range(3):
            list(transport.send(letters(3)))
        assert len(api.calls) == 9 and api.connections == 1


def test_calls_go_side_by_side_each_over_a_session_of_its_own() -> None:
    """A-10: a backend is never shared between threads."""
    provider = Provider("mailgun")

    def script(call: Call) -> Reply:
        reply = provider(call)
        return Reply(reply.status, reply.body, reply.headers, after=0.3)

    with recording(script) as api, wire("mailgun", api, connections=4) as transport:
        started = time.monotonic()
        outcomes = by_delivery(transport.send(letters(12)))
        took = time.monotonic() - started
        assert api.connections == 4
    assert {outcome.state for outcome in outcomes.values()} == {"sent"} and len(outcomes) == 12
    assert sorted(provider.accepted.values()) == [1] * 12 and took < 12 * 0.3


def test_trouble_in_one_of_several_calls_stops_the_rest_and_loses_none() -> None:
    """A-8: those beside it keep their own outcomes."""
    provider = Provider("brevo")

    def script(call: Call) -> Reply:
        if call.data["to"][0]["email"] == "r2@example.org":
            return says_no("brevo", 429, "slow down", **{"Retry-After": "9"})
        return provider(call)

    outcomes = []
    with (
        recording(script) as api,
        wire("brevo", api, connections=3) as transport,
        pytest.raises(Unavailable) as away,
    ):
        for outcome in transport.send(letters(9)):
            outcomes.append(outcome)
    assert away.value.retry_after == 9
    assert {outcome.delivery: outcome.state for outcome in outcomes} == {
        1: "sent",
        2: "unsent",
        3: "sent",
    }


@ALL
def test_settings_of_the_installation_change_nothing(name: str, settings: Settings) -> None:
    """A-2, A-11: credentials are the sender's own; what a provider cannot do is never ignored."""
    settings.EMAIL_BACKEND = "nowhere.EmailBackend"
    settings.ANYMAIL = {
        "IGNORE_UNSUPPORTED_FEATURES": True,
        "SEND_DEFAULTS": {"tags": ["everybody"], "metadata": {"more": "than wanted"}},
        "DEBUG_API_REQUESTS": True,
    }
    provider = Provider(name)
    with recording(provider) as api, wire(name, api) as transport:
        [outcome] = transport.send([mail(1)])
    assert outcome.state == "sent" and "everybody" not in str(provider.seen[0].whole)
    assert not transport._callers  # closed behind us


def test_a_signals_receiver_that_raises_changes_no_outcome() -> None:
    """A-9: the ledger is written by us, never by a signal."""

    def raising(sender: object, **rest: object) -> None:
        raise RuntimeError("not ours")

    pre_send.connect(raising)
    post_send.connect(raising)
    try:
        with recording(Provider("resend")) as api, wire("resend", api) as transport:
            assert [outcome.state for outcome in transport.send([mail(1)])] == ["sent"]
    finally:
        pre_send.disconnect(raising)
        post_send.disconnect(raising)


def test_a_second_send_in_the_middle_of_one_is_refused() -> None:
    """As with every transport: one thread, one call at a time."""
    with recording(Provider("postal")) as api, wire("postal", api) as transport:
        running = iter(transport.send(letters(2)))
        next(running)
        with pytest.raises(RuntimeError, match="in the middle"):
            transport.send([])
        assert len(list(running)) == 1


def test_a_child_process_opens_sessions_of_its_own() -> None:
    """Two processes on one connection would read each other's answers."""
    with recording(Provider("brevo")) as api:
        transport = ProviderTransport(settings_at("brevo", api))
        list(transport.send([mail(1)]))
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = (
                    0 if [outcome.state for outcome in transport.send([mail(2)])] == ["sent"] else 1
                )
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert [outcome.state for outcome in transport.send([mail(3)])] == ["sent"]
        assert api.connections == 2
        transport.close()
