"""The visitor's address behind proxies, a real one among them.

Mirrors several: config/middleware.py, docs/operations.md.
"""

import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from config import middleware
from registrants import provenance

ROOT = Path(__file__).parent.parent.parent


def _seen(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        f"{provenance.address_of(request)} {provenance.neighbourhood(request)} {request.scheme}"
    )


def seen(**variables: Any) -> str:
    """Return address, network and scheme of a request that came with these variables."""
    request = RequestFactory().get("/", **variables)
    return middleware.behind_proxies(_seen)(request).content.decode()


def test_without_a_proxy_nobody_is_believed_about_their_address(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 0
    typed = {"HTTP_X_FORWARDED_FOR": "198.51.100.1", "HTTP_X_FORWARDED_PROTO": "https"}
    assert seen(REMOTE_ADDR="192.0.2.9", **typed) == "192.0.2.9 192.0.2.0/24 http"


@pytest.mark.parametrize(
    ("proxies", "hops", "address"),
    [
        (1, "203.0.113.5, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.5, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (3, "198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (1, "203.0.113.5:1, 198.51.100.1:4711", "198.51.100.1"),
        (1, "[2001:db8::9]:4711", "2001:db8::9"),
        (1, "[2001:db8::9]", "2001:db8::9"),
        (1, "2001:db8::9", "2001:db8::9"),
        (1, "::ffff:198.51.100.1", "198.51.100.1"),
        (1, "", "127.0.0.1"),
        (1, "203.0.113.5, ", "127.0.0.1"),
        (1, "unknown", ""),
        (1, "[[[", ""),
        (2, ",,,", "127.0.0.1"),
    ],
)
def test_as_many_hops_from_the_right_are_believed_as_proxies_are_trusted(
    settings: Settings, proxies: int, hops: str, address: str
) -> None:
    """S-3: what a visitor writes into the header themselves stands further left."""
    settings.TRUSTED_PROXIES = proxies
    answer = seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=hops)
    assert answer.split(" ")[0] == address


@pytest.mark.parametrize(
    ("proxies", "hops", "scheme"),
    [
        (1, "https", "https"),
        (1, "https, http", "http"),
        (2, "https, http", "https"),
        (2, "http, https, http", "https"),
        (2, "HTTPS", "https"),
        (1, "javascript", "http"),
        (1, "", "http"),
    ],
)
def test_the_scheme_is_read_by_the_same_rule(
    settings: Settings, proxies: int, hops: str, scheme: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert seen(HTTP_X_FORWARDED_PROTO=hops).rsplit(" ", 1)[1] == scheme


def test_the_header_of_the_proxy_can_be_named(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    settings.CLIENT_ADDRESS_HEADER = "Visitor"
    answer = seen(HTTP_VISITOR="198.51.100.1", HTTP_X_FORWARDED_FOR="203.0.113.5")
    assert answer.startswith("198.51.100.1 ")


def test_visitors_of_one_ipv6_network_are_counted_as_one(settings: Settings) -> None:
    """S-3: whoever has one address of a /64 has all of them."""
    settings.TRUSTED_PROXIES = 1
    answers = {
        seen(HTTP_X_FORWARDED_FOR=f"[2001:db8:1:2::{host}]:443").split(" ")[1] for host in (1, 2)
    }
    assert answers == {"2001:db8:1:2::/64"}


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def application() -> Iterator[int]:
    """Return the port of a web server whose one page says who asks."""

    def answer(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return [middleware.behind_proxies(_seen)(WSGIRequest(environ)).content]

    with make_server("127.0.0.1", 0, answer, handler_class=_Silent) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def documented(listen: int, pass_to: int, *, inner: bool = False) -> str:
    """Return the server block of docs/operations.md on plain http, listening at a free port."""
    page = (ROOT / "docs/operations.md").read_text()
    block = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)[0]
    block = re.sub(r"\s+ssl_\w+ .*", "", block)
    block = block.replace("listen 443 ssl", f"listen 127.0.0.1:{listen}")
    block = block.replace("127.0.0.1:8000", f"127.0.0.1:{pass_to}")
    if inner:
        scheme = re.findall(r"`(proxy_set_header X-Forwarded-Proto .*?;)`", page)[0]
        block = re.sub(r"proxy_set_header X-Forwarded-Proto .*", scheme, block)
    return block


def start_nginx(program: str, folder: Path, application: int) -> tuple[Any, int, int]:
    """Start nginx on two free ports; it ends at once where another took one of them meanwhile."""
    with (
        socket.create_server(("127.0.0.1", 0)) as near,
        socket.create_server(("127.0.0.1", 0)) as far,
    ):
        inner, outer = near.getsockname()[1], far.getsockname()[1]
    paths = "client_body", "proxy", "fastcgi", "uwsgi", "scgi"
    temporary = "\n".join(f"{name}_temp_path {folder}/{name};" for name in paths)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n"
        f"{documented(inner, application, inner=True)}\n{documented(outer, inner)} }}\n"
    )
    server = subprocess.Popen(
        [program, "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"]
    )
    while server.poll() is None and not (folder / "pid").exists():
        time.sleep(0.01)
    return server, inner, outer


@pytest.fixture
def nginx(application: int, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Return the ports of a real nginx in front of the page and of one in front of that one."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        pytest.skip("proxies are tried with a real one: apt-get install nginx-light")
    for _ in range(5):
        server, inner, outer = start_nginx(program, tmp_path, application)
        if server.poll() is None:
            break
    yield inner, outer
    server.terminate()
    server.wait()


FORGED = {
    "X-Forwarded-For": "203.0.113.66",
    "X_Forwarded_For": "203.0.113.67",
    "X-Forwarded-Proto": "https",
    "X_Forwarded_Proto": "https",
    "X-Real-IP": "203.0.113.68",
    "Forwarded": "for=203.0.113.69;proto=https",
}


@pytest.mark.parametrize("proxies", [1, 2])
def test_behind_a_real_nginx_nobody_can_be_somebody_else(
    settings: Settings, nginx: tuple[int, int], proxies: int
) -> None:
    """S-3, L-20: neither limit nor proof believes a header of the visitor's, in either spelling."""
    settings.TRUSTED_PROXIES = proxies
    url = f"http://127.0.0.1:{nginx[proxies - 1]}/"
    for headers in ({}, FORGED):
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            assert answer.read() == b"127.0.0.1 127.0.0.0/24 http"
