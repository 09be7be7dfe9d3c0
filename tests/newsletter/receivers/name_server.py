"""A small name server on this machine, for tests that ask DNS."""

import socket
import threading
import time
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """Answers MX and TXT questions over UDP from tables; what it was asked stands in `asked`."""

    def __init__(
        self,
        mx: dict[str, list[str]],
        *,
        silent: set[str],
        slow: float = 0.0,
        txt: dict[str, list[str]] | None = None,
    ) -> None:
        self.mx, self.silent, self.slow, self.txt = mx, silent, slow, txt or {}
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "NameServer":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def resolver(self) -> dns.asyncresolver.Resolver:
        """Return a resolver that asks this server alone."""
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = int(self._socket.getsockname()[1])
        return resolver

    def _serve(self) -> None:
        threads = []
        while not self._over.is_set():
            try:
                wire, whom = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=self._answer, args=(wire, whom)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _answer(self, wire: bytes, whom: Any) -> None:
        question = dns.message.from_wire(wire)
        domain = question.question[0].name.to_text(omit_final_dot=True)
        with self._lock:
            self.asked.append(domain)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.slow)
        with self._lock:
            self.at_once -= 1
        if domain in self.silent:
            return
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        kind = question.question[0].rdtype
        table = self.txt if kind == dns.rdatatype.TXT else self.mx
        if domain not in self.mx and domain not in self.txt:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif table.get(domain):
            answer.answer.append(dns.rrset.from_text(f"{domain}.", 60, "IN", kind, *table[domain]))
        self._socket.sendto(answer.to_wire(), whom)
