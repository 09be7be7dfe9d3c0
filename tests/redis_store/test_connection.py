"""The Redis all share: trusted over TLS by every client alike, JSON in it and no pickle.

Mirrors several: redis_store/connection.py, redis_store/json_values.py.
"""

import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
import redis
from celery import Celery
from django.conf import settings as django_settings
from django.core.cache.backends.redis import RedisCache
from pytest_django import Settings

from config import server_urls
from config.celery import QUEUE_LONGEST, app
from newsletter.receivers import lookup
from redis_store import connection, rate_limits
from redis_store.json_values import JsonValues
from tracking.intake import hits

PLAIN = django_settings.REDIS_URL
UNBOUNDED_BY_TIME = {
    b"tracking:hits",  # MAXLEN 200,000
    b"bulk", b"letters", b"staging",  # QUEUE_LONGEST
    b"unacked", b"unacked_index",  # what workers hold: one task each
}  # fmt: skip
"""Keys without an expiry, each with its bound; a queue's bindings are one member each."""


def authority(folder: Path, name: str) -> Path:
    """Make a certificate for 127.0.0.1 that is its own authority; return its file."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return folder / f"{name}.pem"


def carry(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes one way until somebody hangs up."""
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


class Terminator(socketserver.BaseRequestHandler):
    """TLS in front of the real server: the Valkey of the wheel is built without."""

    context: ssl.SSLContext

    def handle(self) -> None:
        own = urlsplit(PLAIN)
        try:
            secured = self.context.wrap_socket(self.request, server_side=True)
        except OSError:  # the client does not trust us
            return
        plain = socket.create_connection((str(own.hostname), own.port or 6379))
        with secured, plain:
            threading.Thread(target=carry, args=(plain, secured), daemon=True).start()
            carry(secured, plain)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, Path]]:
    """Return the address of a Redis behind TLS, its authority and a stranger's."""
    folder = tmp_path_factory.mktemp("tls")
    ours, strangers = authority(folder, "ours"), authority(folder, "strangers")
    Terminator.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Terminator.context.load_cert_chain(ours, folder / "ours.key")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Terminator) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"rediss://127.0.0.1:{server.server_address[1]}/0", ours, strangers
        server.shutdown()


def ask_ourselves(url: str, trust: server_urls.RedisTls) -> None:
    connection.connect(patience=2).ping()


def ask_for_celery(url: str, trust: server_urls.RedisTls) -> None:
    own = Celery("trial", broker=url, set_as_current=False)
    own.conf.broker_use_ssl = dict(trust)
    own.conf.broker_transport_options = {"max_retries": 0, "socket_timeout": 2}
    with own.connection_for_write() as broker:
        broker.default_channel.client.ping()


def ask_for_the_cache(url: str, trust: server_urls.RedisTls) -> None:
    RedisCache(url, {"OPTIONS": dict(trust)}).get("anything")


@pytest.mark.parametrize("ask", [ask_ourselves, ask_for_celery, ask_for_the_cache])
def test_every_client_trusts_the_right_authority_and_no_other(
    secured: tuple[str, Path, Path], settings: Settings, ask: object
) -> None:
    assert callable(ask)
    url, ours, strangers = secured
    settings.REDIS_URL = url
    settings.REDIS_TLS = server_urls.redis_tls(url, str(ours))
    ask(url, settings.REDIS_TLS)
    for refused in (str(strangers), ""):
        settings.REDIS_TLS = server_urls.redis_tls(url, refused)
        with pytest.raises(Exception, match=r"(?i)certificate"):
            ask(url, settings.REDIS_TLS)


def test_a_plain_redis_is_told_nothing_of_certificates() -> None:
    assert server_urls.redis_tls("redis://127.0.0.1:6379/0", "") == {}


@pytest.mark.parametrize("value", [7, True, None, "ü", 1.5, [1, "b"], {"a": {"b": [None]}}])
def test_what_is_cached_comes_back_and_is_json(value: object) -> None:
    packed = JsonValues().dumps(value)
    assert JsonValues().loads(str(packed).encode() if isinstance(packed, int) else packed) == value


def test_what_json_does_not_know_is_refused_and_a_pickle_is_not_read() -> None:
    with pytest.raises(TypeError):
        JsonValues().dumps(object())
    with pytest.raises(ValueError):
        JsonValues().loads(b"\x80\x05K\x07.")


def test_nothing_but_json_is_taken_by_workers_sessions_and_the_cache(settings: Settings) -> None:
    assert app.conf.accept_content == app.conf.result_accept_content == ["json"]
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")
    assert settings.CACHES["default"]["OPTIONS"]["serializer"].endswith("JsonValues")


def test_what_stands_in_redis_expires_or_is_bounded(db: None, valkey: redis.Redis) -> None:
    connection.first_in(5, "trial")
    rate_limits.allow("trial", rate=1, burst=1)
    rate_limits.wait("trial again", rate=1, burst=1, begin=0)
    rate_limits.count("trial count", seconds=5)
    rate_limits.give_back("trial back")
    buffer = hits.Buffer()  # without its thread
    buffer.waiting.append(hits.pack(hits.OPENED, 1))
    buffer.flush()
    lookup.receiver_of("somebody@a-domain-nobody-knows.example.se")
    lookup.refresh(at_once=True)
    app.send_task("newsletter.tasks.tend", retry=False)
    for key in cast("list[bytes]", valkey.keys("*")):
        is_bounded = key in UNBOUNDED_BY_TIME or key.startswith(b"_kombu.binding")
        assert valkey.ttl(key) > 0 or is_bounded, key
        if valkey.type(key) == b"string":
            assert not cast("bytes", valkey.get(key)).startswith(b"\x80"), key


def test_a_queue_nobody_takes_from_stops_growing(valkey: redis.Redis) -> None:
    valkey.lpush("letters", *[b"x"] * (QUEUE_LONGEST + 50))
    app.send_task("newsletter.tasks.tend", retry=False)
    assert valkey.llen("letters") == QUEUE_LONGEST
