"""A port that is free, and nobody else's from then on."""

import socket
import subprocess
import sys

import pytest

from local.ports import HeldPort, hold_port, is_free


def test_a_taken_port_is_stepped_over_and_said_aloud() -> None:
    messages: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        port = hold_port(taken, say=messages.append)
        assert port.number > taken
        assert is_free(port.number)
        port.release()
    assert messages == [f"Port {taken} is taken, using {port.number} instead."]


def test_a_free_port_is_taken_without_a_word() -> None:
    messages: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        wanted = other.getsockname()[1]
    port = hold_port(wanted, say=messages.append)
    port.release()
    assert port.number == wanted
    assert messages == []


def test_a_port_is_held_from_the_test_until_it_is_let_go_and_can_be_listened_on() -> None:
    first = hold_port(hold_port(27_000).release())
    assert hold_port(first.number).release() > first.number
    with socket.create_server(("127.0.0.1", first.number)):
        pass
    first.release()
    HeldPort(first.number).release()


def test_a_held_port_is_let_go_when_its_process_is_killed() -> None:
    wanted = hold_port(27_300).release()
    lines = f"from local.ports import HeldPort; p = HeldPort({wanted}); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(OSError):
            HeldPort(wanted)
        other.kill()
    HeldPort(wanted).release()
