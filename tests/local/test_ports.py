"""A port that is free."""

import socket

from local.ports import free_port, is_free


def test_a_taken_port_is_stepped_over_and_said_aloud() -> None:
    messages: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        port = free_port(taken, say=messages.append)
        assert port > taken
        assert is_free(port)
    assert messages == [f"Port {taken} is taken, using {port} instead."]


def test_a_free_port_is_taken_without_a_word() -> None:
    messages: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        wanted = other.getsockname()[1]
    assert free_port(wanted, say=messages.append) == wanted
    assert messages == []
