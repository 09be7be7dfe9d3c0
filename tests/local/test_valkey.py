"""The embedded Valkey."""

import os
import signal
from pathlib import Path

import redis

from local.valkey import Valkey, running


def test_what_it_holds_outlives_a_stop_in_a_path_with_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    with running(folder) as url, redis.Redis.from_url(url) as client:
        client.set("heed", "kept")
    with running(folder) as url, redis.Redis.from_url(url) as client:
        assert client.get("heed") == b"kept"


def test_a_killed_server_starts_again_on_its_port(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "data")
    server.start(tmp_path / "log")
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.start(tmp_path / "log")
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()
    server.stop()


def test_nothing_is_thrown_out_when_memory_is_short(tmp_path: Path) -> None:
    with running(tmp_path) as url, redis.Redis.from_url(url) as client:
        settings = client.config_get("maxmemory-policy", "appendonly")
    assert settings == {"maxmemory-policy": "noeviction", "appendonly": "yes"}
