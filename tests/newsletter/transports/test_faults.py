"""The SMTP transport against servers that fall silent, hang up, lie or babble.

Mirrors several: newsletter/transports/smtp.py, newsletter/transports/wire.py,
newsletter/transports/connection.py.
"""

import time

import pytest

from newsletter.transports import Timeouts, Unavailable
from tests.newsletter.transports.wire_cases import (
    QUICK,
    by_number,
    message,
    send,
    send_until,
    transport,
)
from tests.scripted_smtp import Answer, Close, Moment, ScriptedSmtp, Slow

LOCK_STEP = ("8BITMIME",)
PIPELINED = ("PIPELINING", "8BITMIME")
EITHER_WAY = pytest.mark.parametrize("extensions", [PIPELINED, LOCK_STEP])


@EITHER_WAY
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [b"421 4.3.2 enough\r\n", b""])
def test_a_limit_per_connection_costs_nothing(
    extensions: tuple[str, ...], step: str, reply: bytes
) -> None:
    def twenty_each(moment: Moment) -> Answer:
        return Close(reply) if moment.step == step and moment.accepted_here == 20 else None

    with ScriptedSmtp(twenty_each, extensions) as server:
        outcomes = send(server, 300)
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}
    assert 15 <= server.connections <= 19


@EITHER_WAY
def test_a_silent_close_after_the_answer_costs_nothing(extensions: tuple[str, ...]) -> None:
    def one_each(moment: Moment) -> Answer:
        return Close(b"250 ok\r\n", accepting=True) if moment.step == "end" else None

    with ScriptedSmtp(one_each, extensions) as server:
        outcomes = send(server, 50)
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}
    assert server.connections >= 50


def test_a_connection_closed_while_idle_is_replaced() -> None:
    with ScriptedSmtp() as server, transport(server, connections=2) as wire:
        list(wire.send(message(n) for n in range(10)))
        with server.lock:
            for connection in server.open:
                connection.sendall(b"421 4.4.2 idle too long\r\n")
                connection.shutdown(2)
        outcomes = by_number(wire.send(message(n) for n in range(10, 20)))
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}


@EITHER_WAY
@pytest.mark.parametrize("accepting", [True, False])
def test_an_end_without_an_answer_is_unknown(extensions: tuple[str, ...], accepting: bool) -> None:
    def every_tenth(moment: Moment) -> Answer:
        hangs_up = moment.step == "end" and moment.number % 10 == 0
        return Close(accepting=accepting) if hangs_up else None

    with ScriptedSmtp(every_tenth, extensions) as server:
        outcomes = send(server, 100)
    states = [outcome.state for outcome in outcomes.values()]
    assert set(states) == {"sent", "unknown"}
    assert 10 <= states.count("unknown") <= 11


def test_a_server_that_never_answers_an_end_is_left_alone_soon() -> None:
    def never(moment: Moment) -> Answer:
        return Close(accepting=True) if moment.step == "end" else None

    with ScriptedSmtp(never) as server:
        outcomes, _ = send_until(server, 200)
    states = [outcome.state for outcome in outcomes.values()]
    assert 1 <= states.count("unknown") <= 10
    assert set(states) <= {"unknown", "unsent"}


def test_an_end_answered_too_late_is_unknown() -> None:
    def late(moment: Moment) -> Answer:
        is_fifth = moment.step == "end" and moment.number == 5
        return Slow(b"250 ok\r\n", before=1.2) if is_fifth else None

    with ScriptedSmtp(late) as server:
        outcomes = send(server, 20, timeouts=Timeouts(end_of_data=0.4, command=2.0))
    states = [outcome.state for outcome in outcomes.values()]
    assert (states.count("unknown"), states.count("sent")) == (1, 19)
    assert "no answer in time" in {outcome.words for outcome in outcomes.values()}


def test_an_end_answered_late_but_in_time_is_sent() -> None:
    def late(moment: Moment) -> Answer:
        is_fifth = moment.step == "end" and moment.number == 5
        return Slow(b"250 ok\r\n", before=0.7) if is_fifth else None

    with ScriptedSmtp(late) as server:
        outcomes = send(server, 20, timeouts=Timeouts(end_of_data=3.0, command=0.3))
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}


@EITHER_WAY
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "end"])
@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff what\r\n",
        b"2500 no\r\n",
        b"x" * 5000,
        b"250-a\r\n251 b\r\n",
        b"150 hm\r\n",
        b"399 hm\r\n",
    ],
)
def test_garbage_closes_the_connection_and_no_outcome_is_made_up(
    extensions: tuple[str, ...], step: str, garbage: bytes
) -> None:
    def seventh(moment: Moment) -> Answer:
        return garbage if moment.step == step and moment.number == 7 else None

    with ScriptedSmtp(seventh, extensions) as server:
        outcomes = send(server, 40)
    states = [outcome.state for outcome in outcomes.values()]
    assert states.count("unknown") == (1 if step == "end" else 0)
    assert states.count("sent") == 40 - states.count("unknown")


def test_one_answer_too_many_is_never_taken_for_another_messages() -> None:
    def twice(moment: Moment) -> Answer:
        is_fifth = moment.step == "end" and moment.number == 5
        return b"250 ok\r\n250 ok\r\n" if is_fifth else None

    def refuses_the_next(moment: Moment) -> Answer:
        if moment.step == "RCPT" and moment.number == 6:
            return b"550 5.1.1 nobody\r\n"
        return twice(moment)

    with ScriptedSmtp(refuses_the_next, LOCK_STEP) as server:
        send(server, 20, connections=1)


def test_very_slow_bytes_arrive_or_time_out() -> None:
    def slow(moment: Moment) -> Answer:
        if moment.step == "end" and moment.number == 3:
            return Slow(b"250 2.0.0 slow but there\r\n", per_octet=0.01)
        if moment.step == "MAIL" and moment.number == 6:
            return Slow(b"250 " + b"z" * 200 + b"\r\n", per_octet=0.05)
        return None

    with ScriptedSmtp(slow) as server:
        outcomes = send(server, 20, timeouts=QUICK)
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}


def test_a_server_gone_in_the_middle_leaves_the_rest_unsent() -> None:
    with ScriptedSmtp() as server:

        def gone(moment: Moment) -> Answer:
            if moment.accepted >= 30:
                server.listener.close()
                return Close()
            return None

        server.script = gone
        outcomes, _ = send_until(server, 100)
    states = [outcome.state for outcome in outcomes.values()]
    assert states.count("sent") >= 27
    assert states.count("unknown") <= 4
    assert len(states) <= 50, "what was not pulled is the caller's still"


@pytest.mark.parametrize(
    ("count", "connections"), [(30, 4), (6, 1)], ids=["among others", "the last one"]
)
def test_a_message_that_breaks_every_connection_is_unsent_and_the_rest_is_sent(
    count: int, connections: int
) -> None:
    def poisoned(moment: Moment) -> Answer:
        return Close() if moment.step == "RCPT" and "<r5@" in moment.line else None

    with ScriptedSmtp(poisoned) as server:
        outcomes = send(server, count, connections=connections)
    assert outcomes.pop(5).state == "unsent"
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}


def test_a_server_that_takes_two_connections_only_is_used_with_two() -> None:
    def crowded(moment: Moment) -> Answer:
        too_many = moment.step == "connect" and moment.connection > 2
        return Close(b"421 4.7.0 too many connections\r\n") if too_many else None

    with ScriptedSmtp(crowded) as server:
        outcomes = send(server, 100)
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}
    assert server.connections <= 4


def test_a_policy_421_defers_and_is_not_tried_again_at_once() -> None:
    """AT-P1: 421 4.7.28 says to slow down, so the message is the caller's again."""

    def limited(moment: Moment) -> Answer:
        if moment.step == "RCPT" and moment.number == 10:
            return Close(b"421 4.7.28 unusual rate from r9@example.org\r\n")
        return None

    with ScriptedSmtp(limited) as server:
        outcomes = send(server, 20)
    (deferred,) = [outcome for outcome in outcomes.values() if outcome.state == "deferred"]
    assert deferred[2:] == (421, "4.7.28", "unusual rate from <address>")


@pytest.mark.parametrize("step", ["connect", "EHLO"])
@pytest.mark.parametrize("answer", [Close(), Close(b"421 busy\r\n"), b"554 no\r\n", b"garbage\r\n"])
def test_a_server_that_does_not_greet_is_unavailable(step: str, answer: Answer) -> None:
    def script(moment: Moment) -> Answer:
        return answer if moment.step == step else None

    with (
        ScriptedSmtp(script) as server,
        transport(server) as wire,
        pytest.raises(Unavailable) as trouble,
    ):
        wire.send([message(0)])
    assert trouble.value.words
    assert not trouble.value.configuration


def test_a_server_that_never_greets_is_unavailable_in_time() -> None:
    def silent(moment: Moment) -> Answer:
        return Slow(b"220 at last\r\n", before=5.0) if moment.step == "connect" else None

    started = time.monotonic()
    with (
        ScriptedSmtp(silent) as server,
        transport(server) as wire,
        pytest.raises(Unavailable, match="no answer in time"),
    ):
        wire.send([message(0)])
    assert time.monotonic() - started < 3


def test_a_server_that_knows_no_ehlo_is_greeted_with_helo() -> None:
    def old(moment: Moment) -> Answer:
        return b"502 5.5.1 what?\r\n" if moment.step == "EHLO" else None

    with ScriptedSmtp(old) as server:
        assert {outcome.state for outcome in send(server, 10).values()} == {"sent"}


def test_a_server_that_refuses_in_the_middle_of_a_body_is_believed() -> None:
    """A refusal before the final dot decides; the connection is not used again."""
    big = b"x" * 76 + b"\r\n"

    def early(moment: Moment) -> Answer:
        if moment.step == "DATA" and "<r3@" in "".join(
            f"<{recipient}" for recipient in moment.recipients
        ):
            return Close(b"354 go on\r\n552 5.3.4 too big\r\n")
        return None

    with ScriptedSmtp(early) as server, transport(server, connections=1) as wire:
        outcomes = by_number(wire.send(message(n, big * 200_000) for n in range(3, 5)))
    assert outcomes[3].state in ("failed", "unsent")
    assert outcomes[4].state == "sent"
    assert server.delivered == {"r4@example.org": 1}


def test_what_is_due_too_late_is_not_begun() -> None:
    """The gate's answer is old by then: it goes back, and the wire does not say a word of it."""
    late = time.monotonic() - 0.1
    with ScriptedSmtp() as server, transport(server) as wire:
        outcomes = by_number(wire.send([message(0), message(1)._replace(begin_by=late)]))
    assert (outcomes[0].state, outcomes[1].state) == ("sent", "unsent")
    assert not outcomes[1].words
    assert set(server.delivered) == {"r0@example.org"}


def test_behind_a_slow_answer_no_message_waits() -> None:
    """The next is begun only when the last was answered, so that it never waits on the wire."""
    begun: list[float] = []
    answered: list[float] = []

    def slow(moment: Moment) -> Answer:
        if moment.step == "MAIL":
            begun.append(time.monotonic())
        if moment.step == "end":
            answered.append(time.monotonic() + 0.3)
            return Slow(b"250 2.0.0 taken\r\n", before=0.3)
        return None

    with ScriptedSmtp(slow) as server:
        send(server, 4, connections=1)
    assert all(begin >= end for begin, end in zip(begun[1:], answered, strict=False))
