"""A small HTTP server that records every call and answers as a test tells it to."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message as Fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Call:
    """One recorded call."""

    path: str
    headers: Fields
    body: bytes

    @property
    def data(self) -> Any:
        """Return the body as JSON, or a form as a dictionary of lists."""
        if "form-urlencoded" in self.headers.get("Content-Type", ""):
            return parse_qs(self.body.decode(), keep_blank_values=True)
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer, and how long to think first; no status: hang up without a word."""

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0


Script = Callable[[Call], Reply]


class RecordingApi:
    """Listens on a port of its own; ``script`` decides each answer."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.calls: list[Call] = []
        self.connections = 0
        """How many were opened to it in all."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.004}, daemon=True
        )

    @property
    def url(self) -> str:
        """Return where it listens, with a slash behind."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else the body waits 40 ms for the header's ACK
            wbufsize = -1

            def setup(self) -> None:
                super().setup()
                with api._lock:
                    api.connections += 1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                call = Call(self.path, self.headers, body)
                with api._lock:
                    api.calls.append(call)
                    reply = api.script(call)
                if reply.after:
                    time.sleep(reply.after)
                if reply.status:
                    self._answer(reply)
                else:
                    self.close_connection = True

            def _answer(self, reply: Reply) -> None:
                is_text = isinstance(reply.body, str)
                content = (reply.body if is_text else json.dumps(reply.body)).encode()
                kind = "text/html" if is_text else "application/json"
                try:
                    self.send_response(reply.status)
                    for name, value in {"Content-Type": kind, **reply.headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:  # nobody waited for it
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def recording(script: Script) -> Iterator[RecordingApi]:
    """Run a recording server for a while."""
    api = RecordingApi(script)
    api.start()
    try:
        yield api
    finally:
        api.stop()
