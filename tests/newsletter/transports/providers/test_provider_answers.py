"""What each provider says, or does not say, ends in exactly one true outcome.

Mirrors several: newsletter/transports/providers/verdicts.py,
newsletter/transports/providers/response.py, newsletter/transports/providers/transport.py.
"""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.newsletter.transports.providers.contracts import (
    BATCHES,
    KEYED,
    NAMES,
    SECRET,
    Provider,
    by_delivery,
    drained,
    letters,
    mail,
    says_no,
    wire,
)
from tests.newsletter.transports.providers.recording import Call, Reply, recording

ALL = pytest.mark.parametrize("name", NAMES)
UNKEYED = [name for name in NAMES if name not in KEYED]


@ALL
def test_three_refused_of_a_hundred_are_exactly_those_three(name: str) -> None:
    """AT-A7, A-7: by the provider's own way: in a 200, or by a 400 for that one."""
    bad = {f"r{number}@example.org" for number in (7, 50, 99)}
    provider = Provider(name, bad=bad)
    with recording(provider) as api, wire(name, api) as transport:
        outcomes = by_delivery(transport.send(letters(100)))
    failed = {number for number, outcome in outcomes.items() if outcome.state == "failed"}
    assert failed == {7, 50, 99}
    assert {outcome.state for outcome in outcomes.values()} == {"sent", "failed"}
    assert len(outcomes) == 100
    assert sum(provider.accepted.values()) == 97 == len(provider.accepted)
    assert not bad & set(provider.accepted)
    for number in failed:
        assert outcomes[number].code in (501, 550)  # as a mail server would: for good
        assert outcomes[number].words and "@" not in outcomes[number].words


@ALL
def test_a_bad_request_for_one_address_stops_no_other(name: str) -> None:
    """A-6: a batch refused as a whole is cut in two until the bad one stands alone."""
    provider = Provider(name, bad={"r4@example.org"}, whole=True)
    with recording(provider) as api, wire(name, api) as transport:
        outcomes = by_delivery(transport.send(letters(9)))
    assert outcomes.pop(4).state == "failed"
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}
    assert sorted(provider.accepted.values()) == [1] * 8
    assert len(api.calls) <= 9


@ALL
def test_the_providers_words_are_kept_without_the_address_and_the_key(name: str) -> None:
    """A-7: what a person is shown names nobody and gives nothing away."""
    text = f"no mailbox for ada@example.org, said with {SECRET}"
    with recording(lambda call: says_no(name, 400, text)) as api, wire(name, api) as transport:
        [outcome] = transport.send([mail(1)])
    assert outcome.state == "failed"
    assert "no mailbox for <address>" in outcome.words
    assert SECRET not in outcome.words and "ada" not in outcome.words


@ALL
@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_stop_the_sender_and_lose_nothing(name: str, status: int) -> None:
    """A-8: the sender's own trouble, never the recipient's."""
    with (
        recording(lambda call: says_no(name, status, f"key {SECRET} is not valid")) as api,
        wire(name, api) as transport,
    ):
        outcomes, away = drained(transport, letters(3))
    assert {(outcome.state, outcome.words) for outcome in outcomes.values()} == {("unsent", "")}
    assert away.configuration and away.code in (401, 403) and SECRET not in away.words
    assert len(api.calls) == 1


@ALL
@pytest.mark.parametrize("form", ["seconds", "date", "none"])
def test_too_many_calls_rest_the_sender_as_long_as_it_says(name: str, form: str) -> None:
    """A-8: Retry-After in either form (RFC 9110 §10.2.3), a minute where it says nothing."""
    until = datetime.now(UTC) + timedelta(seconds=90)
    headers = {
        "seconds": {"Retry-After": "37"},
        "date": {"Retry-After": format_datetime(until, usegmt=True)},
        "none": {},
    }[form]
    provider = Provider(name)

    def script(call: Call) -> Reply:
        if provider.accepted:
            return says_no(name, 429, "slow down", **headers)
        return provider(call)

    with recording(script) as api, wire(name, api, batches=False) as transport:
        outcomes, away = drained(transport, letters(4))
    assert outcomes.pop(1).state == "sent"
    assert {outcome.state for outcome in outcomes.values()} == {"unsent"}
    assert not away.configuration and away.code == 429
    low, high = {"seconds": (37, 37), "date": (80, 91), "none": (60, 60)}[form]
    assert low <= away.retry_after <= high


@ALL
@pytest.mark.parametrize("status", [500, 503])
def test_a_providers_own_fault_is_tried_again_later(name: str, status: int) -> None:
    """A-8: it answered, so nothing is unknown."""
    sorry = says_no(name, status, "we are sorry")
    with recording(lambda call: sorry) as api, wire(name, api) as transport:
        outcomes = by_delivery(transport.send(letters(2)))
    assert {(outcome.state, outcome.code) for outcome in outcomes.values()} == {
        ("deferred", status)
    }
    assert all("we are sorry" in outcome.words for outcome in outcomes.values())


@pytest.mark.parametrize("name", UNKEYED)
def test_no_answer_after_the_call_went_out_is_unknown(name: str) -> None:
    """A-8, C-5: it was accepted, but nobody told us; nothing is called out again."""
    provider = Provider(name)

    def script(call: Call) -> Reply:
        reply = provider(call)
        return Reply(reply.status, reply.body, reply.headers, after=0.6)

    with recording(script) as api, wire(name, api, read=0.2) as transport:
        [outcome] = transport.send([mail(1)])
        assert outcome.state == "unknown" and "no answer" in outcome.words
        time.sleep(0.5)
    assert provider.accepted == {"r1@example.org": 1} and len(api.calls) == 1


@pytest.mark.parametrize("name", UNKEYED)
def test_a_connection_cut_after_the_call_went_out_is_unknown(name: str) -> None:
    """A-8: reset or closed without a word."""
    with recording(lambda call: Reply(0)) as api, wire(name, api) as transport:
        [outcome] = transport.send([mail(1)])
    assert outcome.state == "unknown" and len(api.calls) == 1


@ALL
def test_a_gateway_that_waited_in_vain_is_unknown(name: str) -> None:
    """A-8: a 504 says that nobody knows, though it is an answer."""
    gateway = Reply(504, "gateway time-out")
    with recording(lambda call: gateway) as api, wire(name, api) as transport:
        [outcome] = transport.send([mail(1)])
    assert (outcome.state, outcome.code) == ("unknown", 504)


@ALL
@pytest.mark.parametrize("body", ["<html>welcome</html>", '{"surprise": 1}', "[]", "{"])
def test_a_200_nobody_can_read_is_unknown(name: str, body: str) -> None:
    """A-7: it may have been taken; amazon, SendGrid and MailerSend say nothing in a 200."""
    odd = Reply(200, body, {"Content-Type": "application/json"})
    with recording(lambda call: odd) as api, wire(name, api) as transport:
        [outcome] = transport.send([mail(1)])
    allowed = {"sendgrid": {"sent"}, "mailersend": {"unknown", "failed"}}
    assert outcome.state in allowed.get(name, {"unknown"}), outcome


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_without_an_answer_is_unknown_as_a_whole(name: str) -> None:
    """A-8: every one of it, and nothing else."""
    with recording(lambda call: Reply(0)) as api, wire(name, api) as transport:
        outcomes = by_delivery(transport.send(letters(5)))
    assert {outcome.state for outcome in outcomes.values()} == {"unknown"} and len(outcomes) == 5
    assert len(api.calls) == (3 if name in KEYED else 1)


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_answered_for_fewer_than_it_had_is_unknown(name: str) -> None:
    """A-7: which of them the answers belong to is a guess."""
    provider = Provider(name)

    def script(call: Call) -> Reply:
        reply = provider(call)
        body = reply.body
        if isinstance(body, list):
            return Reply(200, body[:-1])
        return Reply(200, {key: value[:-1] if isinstance(value, list) else value
                           for key, value in body.items()})  # fmt: skip

    with recording(script) as api, wire(name, api) as transport:
        outcomes = by_delivery(transport.send(letters(4)))
    assert {outcome.state for outcome in outcomes.values()} == {"unknown"}


@ALL
def test_nobody_there_sends_nothing_and_says_so(name: str) -> None:
    """A-8: the connection was never there, so it is safe to send again."""
    with recording(lambda call: Reply()) as api:
        url = api.url
    with wire(name, url) as transport:
        outcomes, away = drained(transport, letters(2))
    assert {outcome.state for outcome in outcomes.values()} == {"unsent"} and 1 in outcomes
    assert not away.configuration and "cannot reach" in away.words


@ALL
def test_a_redirect_takes_no_mail_and_no_key_elsewhere(name: str) -> None:
    """The mail and the key go to the address a person typed in, and nowhere else."""
    with recording(lambda call: Reply()) as other:
        moved = Reply(307, "moved", {"Location": f"{other.url}elsewhere"})
        with recording(lambda call: moved) as api, wire(name, api) as transport:
            outcomes, away = drained(transport, [mail(1)])
    assert not other.calls and outcomes[1].state == "unsent" and away.configuration
