"""A call whose answer was lost is made again only where the provider recognises it (A-13).

Mirrors several: newsletter/transports/providers/http_calls.py,
newsletter/transports/providers/transport.py.
"""

import time

import pytest

from tests.newsletter.transports.providers.contracts import (
    KEYED,
    Provider,
    by_delivery,
    drained,
    mail,
    says_no,
    wire,
)
from tests.newsletter.transports.providers.recording import Call, Reply, recording


@pytest.mark.parametrize("name", KEYED)
def test_a_lost_call_is_made_again_with_the_same_key(name: str) -> None:
    """A-13: the first was accepted and its answer lost; the mail goes out once and is sent."""
    provider, keys = Provider(name), []

    def script(call: Call) -> Reply:
        keys.append(key_of(name, call))
        if len(keys) == 1:
            reply = provider(call)
            return Reply(reply.status, reply.body, reply.headers, after=0.5)
        if name == "brevo":
            return Reply(400, {"code": "duplicate_parameter", "message": "known already"})
        return Reply(200, {"id": "m-1"})

    with recording(script) as api, wire(name, api, read=0.2) as transport:
        [outcome] = transport.send([mail(1)])
        time.sleep(0.4)
    assert outcome.state == "sent" and provider.accepted == {"r1@example.org": 1}
    assert len(keys) == 2 and keys[0] == keys[1] != ""


@pytest.mark.parametrize("name", KEYED)
def test_a_call_lost_three_times_is_unknown(name: str) -> None:
    """A-13: two more times, not for ever; the key is the delivery's own."""
    keys = []

    def script(call: Call) -> Reply:
        keys.append(key_of(name, call))
        return Reply(0)

    with recording(script) as api, wire(name, api) as transport:
        outcomes = by_delivery(transport.send([mail(1)]))
        outcomes |= by_delivery(transport.send([mail(2)]))
    assert {outcome.state for outcome in outcomes.values()} == {"unknown"}
    assert len(keys) == 6 and len(set(keys)) == 2


@pytest.mark.parametrize("name", KEYED)
def test_a_delivery_has_the_same_key_in_whatever_process_it_is_sent(name: str) -> None:
    """A-13: after a crash too; another delivery to the same person has another."""
    keys = []

    def script(call: Call) -> Reply:
        keys.append(key_of(name, call))
        return Provider(name)(call)

    for number in (1, 1, 2):
        with recording(script) as api, wire(name, api) as transport:
            assert len(list(transport.send([mail(number, address="ada@example.org")]))) == 1
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("name", KEYED)
@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_no_to_the_repeated_call_says_nothing_of_the_first(name: str, status: int) -> None:
    """A-13: the first may have been taken, so its end stays unknown."""
    first = []

    def script(call: Call) -> Reply:
        first.append(call)
        return Reply(0) if len(first) == 1 else says_no(name, status, "no")

    with recording(script) as api, wire(name, api) as transport:
        if status == 500:
            [outcome] = transport.send([mail(1)])
        else:
            outcomes, away = drained(transport, [mail(1)])
            outcome = outcomes[1]
            assert away.code == status
    assert outcome.state == "unknown"


def test_a_key_brevo_knows_from_an_earlier_run_is_unknown() -> None:
    """A-13: what became of the earlier call is not said, so nothing is claimed."""
    known = Reply(400, {"code": "duplicate_parameter", "message": "known already"})
    with recording(lambda call: known) as api, wire("brevo", api) as transport:
        [outcome] = transport.send([mail(1)])
    assert outcome.state == "unknown" and "handed over before" in outcome.words


def key_of(name: str, call: Call) -> str:
    """Return the key a call is recognised by."""
    if name == "resend":
        return str(call.headers["Idempotency-Key"])
    return str(call.data["headers"]["idempotencyKey"])
