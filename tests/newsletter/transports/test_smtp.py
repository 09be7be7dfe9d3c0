"""The SMTP transport against a server that behaves, and one that says no."""

import socket
import threading
from collections.abc import Generator, Iterator, Sequence
from email.message import Message as Mime
from typing import cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as AiosmtpdMessage

from newsletter.transports import (
    Message,
    Outcome,
    SmtpSettings,
    SmtpTransport,
    Unavailable,
)
from newsletter.transports.base import State
from newsletter.transports.wire import Wire
from tests.newsletter.transports.wire_cases import (
    QUICK,
    assert_true,
    by_number,
    message,
    send,
    transport,
)
from tests.scripted_smtp import Moment, ScriptedSmtp

LOCK_STEP = ("8BITMIME", "ENHANCEDSTATUSCODES")
PIPELINED = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES")
EITHER_WAY = pytest.mark.parametrize("extensions", [PIPELINED, LOCK_STEP, ()])


@EITHER_WAY
def test_every_message_arrives_once(extensions: tuple[str, ...]) -> None:
    with ScriptedSmtp(extensions=extensions) as server:
        outcomes = send(server, 300)
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}
    assert outcomes[0][2:] == (250, "2.0.0", "Ok")
    assert server.connections == 4


def test_a_body_and_the_next_commands_go_in_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 2920 §3.1: DATA ends a group, a body may begin one."""
    writes: list[int] = []
    flush = Wire.flush

    def counted(wire: Wire) -> None:
        writes.append(0)
        flush(wire)

    monkeypatch.setattr(Wire, "flush", counted)
    for extensions, count in ((PIPELINED, 1 + 2 + 3), (LOCK_STEP, 1 + 3 * 4)):
        writes.clear()
        with (
            ScriptedSmtp(extensions=extensions) as server,
            transport(server, connections=1) as wire,
        ):
            assert len(list(wire.send(message(number) for number in range(3)))) == 3
            assert len(writes) == count


def test_connections_are_kept_between_calls() -> None:
    with ScriptedSmtp() as server, transport(server, connections=2) as wire:
        for start in range(0, 100, 10):
            assert len(list(wire.send(message(n) for n in range(start, start + 10)))) == 10
        assert server.connections == 2


def test_one_letter_opens_one_connection() -> None:
    with ScriptedSmtp() as server:
        send(server, 1)
    assert server.connections == 1


@EITHER_WAY
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "end"])
@pytest.mark.parametrize(("code", "state"), [(451, "deferred"), (550, "failed")])
def test_a_refusal_concerns_its_own_message_only(
    extensions: tuple[str, ...], step: str, code: int, state: State
) -> None:
    def every_third(moment: Moment) -> bytes | None:
        wanted = moment.step == step and moment.number % 3 == 0
        return f"{code} {code // 100}.1.1 <r1@example.org> not now\r\n".encode() if wanted else None

    with ScriptedSmtp(every_third, extensions) as server:
        outcomes = send(server, 60)
    states = [outcome.state for outcome in outcomes.values()]
    assert states.count(state) == 20
    assert states.count("sent") == 40
    refused = next(outcome for outcome in outcomes.values() if outcome.state == state)
    assert refused[2:] == (code, f"{code // 100}.1.1", "<address> not now")


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_data_taken_after_a_refused_recipient_reaches_nobody(step: str) -> None:
    """RFC 2920 §3.1: the server may answer 354 although no recipient was valid."""

    def takes_data_anyway(moment: Moment) -> bytes | None:
        if moment.step == step and moment.number % 4 == 2:
            return b"550 5.1.1 no such person\r\n"
        return b"354 go on\r\n" if moment.step == "DATA" else None

    with ScriptedSmtp(takes_data_anyway) as server:
        outcomes = send(server, 40)
    assert [outcome.state for outcome in outcomes.values()].count("failed") == 10


def test_a_recipient_taken_without_a_sender_gets_no_empty_message() -> None:
    def confused(moment: Moment) -> bytes | None:
        if moment.step == "MAIL" and moment.number == 3:
            return b"451 4.3.0 later\r\n"
        return {"RCPT": b"250 ok\r\n", "DATA": b"354 go on\r\n"}.get(moment.step)

    with ScriptedSmtp(confused) as server:
        outcomes = send(server, 10)
    assert [outcome.state for outcome in outcomes.values()].count("deferred") == 1
    assert [outcome.state for outcome in outcomes.values()].count("sent") == 9


@pytest.mark.parametrize(
    "recipient",
    [
        "a@x.org>\r\nRCPT TO:<b@x.org",
        "a b@x.org",
        "a\n@x.org",
        "a\0@x.org",
        "jürgen@x.org",
        "a@bücher.example",
        "a<b@x.org",
        "a>@x.org",
        "@relay:a@x.org",
        "postmaster",
        "a@x.org\n",
        "",
    ],
)
def test_an_address_cannot_break_out_of_its_command(recipient: str) -> None:
    bad = message(1)._replace(recipient=recipient)
    worse = message(2)._replace(envelope_from=recipient or "no address")
    with ScriptedSmtp() as server, transport(server) as wire:
        outcomes = by_number(wire.send([message(0), bad, worse, message(3)]))
    assert [outcomes[n].state for n in range(4)] == ["sent", "failed", "failed", "sent"]
    assert (outcomes[1].enhanced, outcomes[2].enhanced) == ("5.1.3", "5.1.7")
    assert set(server.delivered) == {"r0@example.org", "r3@example.org"}


def test_a_message_larger_than_the_server_takes_is_not_offered() -> None:
    """RFC 1870."""
    with (
        ScriptedSmtp(extensions=("PIPELINING", "SIZE 1000")) as server,
        transport(server) as wire,
    ):
        outcomes = by_number(wire.send([message(0), message(1, b"x" * 998 + b"\r\n" * 2)]))
    assert (outcomes[0].state, outcomes[1].state) == ("sent", "failed")
    assert outcomes[1].enhanced == "5.3.4"
    assert any("SIZE=" in line for line in server.log)


def test_eight_bits_go_only_where_they_are_taken() -> None:
    """RFC 6152."""
    body = "Grüße\r\n".encode()
    for extensions, state in ((PIPELINED, "sent"), (("PIPELINING",), "failed")):
        with ScriptedSmtp(extensions=extensions) as server, transport(server) as wire:
            (outcome,) = wire.send([message(0, body)])
        assert outcome.state == state
        assert any("BODY=8BITMIME" in line for line in server.log) == (state == "sent")


def test_messages_are_pulled_as_the_wire_has_room() -> None:
    pulled = 0

    def rendered() -> Iterator[Message]:
        nonlocal pulled
        for pulled in range(1, 101):
            yield message(pulled)

    with ScriptedSmtp() as server, transport(server, connections=2) as wire:
        outcomes = wire.send(rendered())
        assert pulled == 0
        next(outcomes)
        assert pulled <= 10
        assert len(list(outcomes)) == 99


def test_an_error_in_the_callers_iterable_loses_no_outcome() -> None:
    def rendered() -> Iterator[Message]:
        yield from (message(number) for number in range(10))
        raise LookupError("no such template")

    seen: list[Outcome] = []
    with (
        ScriptedSmtp() as server,
        transport(server) as wire,
        pytest.raises(LookupError),
    ):
        seen.extend(wire.send(rendered()))
        with pytest.raises(LookupError):
            for outcome in wire.send(rendered()):
                seen.append(outcome)
    assert len(by_number(seen[-10:])) == 10


def test_a_caller_who_stops_reading_leaves_a_transport_that_still_works() -> None:
    with ScriptedSmtp() as server, transport(server) as wire:
        outcomes = wire.send(message(number) for number in range(100))
        next(outcomes)
        with pytest.raises(RuntimeError):
            wire.send([])
        cast("Generator[Outcome]", outcomes).close()
        assert len(list(wire.send(message(number) for number in range(200, 220)))) == 20
    assert max(server.delivered.values()) == 1


def test_what_is_about_to_go_is_noted_before_it_goes() -> None:
    going: set[int] = set()
    answered: list[Outcome] = []
    early: list[int] = []

    with ScriptedSmtp() as server:

        def note(bodies: Sequence[int], outcomes: Sequence[Outcome]) -> None:
            early.extend(n for n in bodies if server.delivered[f"r{n}@example.org"])
            going.update(bodies)
            answered.extend(outcomes)

        with transport(server) as wire:
            outcomes = list(wire.send((message(n) for n in range(200)), note=note))
    assert going == set(range(200))
    assert early == []
    assert answered == outcomes


def test_no_server_is_told_before_any_message_is_taken() -> None:
    def untouched() -> Iterator[Message]:
        raise AssertionError("a message was taken")
        yield

    with ScriptedSmtp() as server:
        pass
    for host in ("127.0.0.1", "localhost"):
        wire = SmtpTransport(SmtpSettings(host=host, port=server.port, timeouts=QUICK))
        with pytest.raises(Unavailable) as trouble:
            wire.send(untouched())
        assert not trouble.value.configuration
        assert "cannot connect" in trouble.value.words


def test_a_transport_goes_on_by_itself_once_the_server_is_back() -> None:
    with ScriptedSmtp() as first, transport(first) as wire:
        assert len(list(wire.send(message(n) for n in range(20)))) == 20
        port = first.port
        first.__exit__()
        with pytest.raises(Unavailable):
            wire.send([])
        with ScriptedSmtp(port=port) as second:
            outcomes = by_number(wire.send(message(n) for n in range(20)))
            assert_true(second, outcomes)
            assert {outcome.state for outcome in outcomes.values()} == {"sent"}


class _Counting(AiosmtpdMessage):
    def __init__(self) -> None:
        super().__init__()
        self.bodies: dict[str, list[str]] = {}
        self.lock = threading.Lock()

    def handle_message(self, message: Mime) -> None:
        with self.lock:
            self.bodies.setdefault(str(message["X-RcptTo"]), []).append(str(message.get_payload()))


def test_another_server_receives_what_was_sent() -> None:
    handler = _Counting()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    try:
        controller.start()
        wire = SmtpTransport(SmtpSettings(host="127.0.0.1", port=port, timeouts=QUICK))
        data = b"Subject: Dots\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n"
        outcomes = list(wire.send(message(number, data) for number in range(50)))
        wire.close()
    finally:
        controller.stop()
    assert {outcome.state for outcome in outcomes} == {"sent"}
    assert len(handler.bodies) == 50
    text = ".one\n..two\n.\nend\n"
    assert all(
        [body.replace("\r\n", "\n") for body in got] == [text] for got in handler.bodies.values()
    )
