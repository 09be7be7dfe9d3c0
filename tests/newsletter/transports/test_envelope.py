"""Dots in, dots out: what the server reads is what was rendered."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.transports.envelope import stuffed
from tests.newsletter.transports.wire_cases import message, transport
from tests.scripted_smtp import ScriptedSmtp

LINES = st.lists(st.sampled_from([b"", b".", b"..", b".a", b"a.", b"...b.", b"text"]), max_size=12)


def unstuffed(wire: bytes) -> bytes:
    """Read a body as RFC 5321 §4.5.2 says, and check that nothing follows its end."""
    body, end, after = (b"\r\n" + wire).partition(b"\r\n.\r\n")
    assert end
    assert after == b""
    return (body + b"\r\n").replace(b"\r\n.", b"\r\n")[2:]


@given(LINES)
def test_leading_dots_come_out_as_they_went_in(lines: list[bytes]) -> None:
    data = b"".join(line + b"\r\n" for line in lines)
    assert unstuffed(stuffed(message(1, data))) == data


@given(st.binary(max_size=200))
def test_no_body_ends_early_on_any_idea_of_a_line_end(data: bytes) -> None:
    """Neither CRLF, LF nor CR before a dot may let a body smuggle commands."""
    on_wire = b"\r\n" + stuffed(message(1, data))
    text = on_wire.removesuffix(b"\r\n.\r\n")
    assert not re.search(rb"[\r\n]\.(?!\.)", text)


@settings(max_examples=30, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=10))
def test_bodies_survive_the_round_trip(bodies: list[list[bytes]]) -> None:
    data = [b"".join(line + b"\r\n" for line in lines) for lines in bodies]
    with ScriptedSmtp() as server, transport(server, connections=2) as wire:
        outcomes = list(wire.send(message(n, body) for n, body in enumerate(data)))
    assert {outcome.state for outcome in outcomes} == {"sent"}
    assert [server.messages[f"r{n}@example.org"] for n in range(len(data))] == [[d] for d in data]
