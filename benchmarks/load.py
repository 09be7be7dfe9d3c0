"""A client that asks over kept connections as fast as it is answered; prints JSON."""

import argparse
import json
import re
import selectors
import socket
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class LoadConnection:
    """One kept connection with one request on the way."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked_at = 0.0
        self._read = b""

    def ask(self, request: bytes) -> None:
        """Send one request."""
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> bytes | None:
        """Return the status line once the whole answer is there."""
        self._read += self.socket.recv(65_536)
        head, end, rest = self._read.partition(b"\r\n\r\n")
        if not end:
            return None
        length = LENGTH.search(head)
        if len(rest) < (int(length[1]) if length else 0):
            return None
        self._read = b""
        return head[9:12]


def run(host: str, port: int, paths: list[str], count: int, connections: int) -> dict[str, object]:
    """Ask `count` times over `connections` lines; return rate, percentiles and statuses."""
    requests = cycle([f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() for path in paths])
    waiting = selectors.DefaultSelector()
    for _ in range(min(connections, count)):
        line = LoadConnection(host, port)
        waiting.register(line.socket, selectors.EVENT_READ, line)
    began = time.perf_counter()
    for key in list(waiting.get_map().values()):
        key.data.ask(next(requests))
    took: list[float] = []
    statuses: Counter[str] = Counter()
    left = count - min(connections, count)
    while len(took) < count:
        for key, _ in waiting.select():
            status = key.data.answer()
            if status is None:
                continue
            took.append(time.perf_counter() - key.data.asked_at)
            statuses[status.decode()] += 1
            if left > 0:
                left -= 1
                key.data.ask(next(requests))
    seconds = time.perf_counter() - began
    took.sort()
    return {
        "requests": count,
        "per_second": round(count / seconds),
        "p50_ms": round(took[count // 2] * 1000, 2),
        "p99_ms": round(took[count * 99 // 100] * 1000, 2),
        "longest_ms": round(took[-1] * 1000, 2),
        "statuses": dict(statuses),
    }


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--paths", type=Path, required=True, help="a file with one path a line")
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    paths = options.paths.read_text().split()
    print(json.dumps(run(options.host, options.port, paths, options.requests, options.connections)))


if __name__ == "__main__":
    main()
