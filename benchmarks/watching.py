"""What people see while a campaign runs: staff pages and sign-ups on a real web process, timed."""

import http.client
import re
import socketserver
import threading
import time
import urllib.parse
from collections import defaultdict
from statistics import median

SHOWN = re.compile(r'name="shown" value="([^"]+)"')
TYPED_FOR = 2.2
"""Seconds between showing the sign-up form and sending it; faster ones are refused."""


class Letterbox(socketserver.ThreadingTCPServer):
    """A small SMTP server that remembers when a mail to each address was wholly there."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Caller)
        self.came: dict[str, float] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def way(self) -> str:
        """Return its address as an EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.server_address[1]}/?connections=2"


class _Caller(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        box, recipient = self.server, ""
        assert isinstance(box, Letterbox)
        self.wfile.write(b"220 letterbox\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                box.came[recipient] = time.time()
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


def signed_in() -> str:
    """Make a member of staff who may see everything; return the cookie of a session."""
    from django.contrib.auth import get_user_model
    from django.contrib.sessions.backends.db import SessionStore

    person = get_user_model().objects.create_superuser("watcher", password="watches-the-campaign")
    session = SessionStore()
    session["_auth_user_id"] = str(person.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = person.get_session_auth_hash()
    session.save()
    return f"sessionid={session.session_key}"


def pages(campaign: int) -> dict[str, str]:
    """Return the staff pages that are looked at."""
    return {
        "home": "/admin/",
        "campaigns": "/admin/newsletter/campaign/",
        "progress": f"/admin/newsletter/campaign/{campaign}/progress/",
        "deliveries": f"/admin/tracking/report/{campaign}/deliveries/",
        "report": f"/admin/tracking/report/{campaign}/",
        "registrants": "/admin/registrants/registrant/",
    }


class Watch:
    """Two threads: one looks at staff pages in turn, one signs somebody up each second."""

    def __init__(self, port: int, campaign: int, box: Letterbox, *, pause: float = 0.5) -> None:
        self._port, self._box, self._each = port, box, pause
        self._pages, self._cookie = pages(campaign), signed_in()
        self._over = threading.Event()
        self.took: dict[str, list[float]] = defaultdict(list)
        self.statuses: dict[str, int] = defaultdict(int)
        self.asked: dict[str, float] = {}
        self.refused = 0
        self._threads = [threading.Thread(target=self._look), threading.Thread(target=self._sign)]

    def __enter__(self) -> "Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _look(self) -> None:
        headers = {"Cookie": self._cookie}
        while not self._over.is_set():
            for name, path in self._pages.items():
                began = time.perf_counter()
                status, _ = self._ask("GET", path, headers)
                self.took[name].append(time.perf_counter() - began)
                self.statuses[f"{name} {status}"] += 1
                if self._over.wait(self._each):
                    return

    def _ask(
        self, verb: str, path: str, headers: dict[str, str], body: str = "", source: str = ""
    ) -> tuple[int, str]:
        here = (source, 0) if source else None
        line = http.client.HTTPConnection("127.0.0.1", self._port, 120, source_address=here)
        try:
            line.request(verb, path, body or None, headers)
            answer = line.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            line.close()

    def _sign(self) -> None:
        """Ask from another network and for another domain each time, as many people would."""
        forms: list[tuple[float, str]] = []
        number = 0
        while not self._over.wait(1.0):
            _, page = self._ask("GET", "/s/bench/", {})
            if match := SHOWN.search(page):
                forms.append((time.monotonic(), match[1]))
            if not forms or time.monotonic() - forms[0][0] < TYPED_FOR:
                continue
            number += 1
            self._send(number, forms.pop(0)[1], page)

    def _send(self, number: int, shown: str, page: str) -> None:
        address = f"fresh{number}@domain{number}.example"
        lists = re.findall(r'name="list" value="(\d+)"', page)
        typed = [("address", address), ("name", "Fresh"), ("shown", shown)]
        typed += [("list", mailing_list) for mailing_list in lists]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        source = f"127.{number // 200 % 200 + 1}.{number % 200 + 1}.1"
        began = time.time()
        status, _ = self._ask("POST", "/s/bench/", headers, urllib.parse.urlencode(typed), source)
        if status == 200:
            self.asked[address] = began
        else:
            self.refused += 1

    def figures(self, *, patience: float = 10.0) -> dict[str, object]:
        """Return how long pages took (ms), and letters (seconds from pressing to the server)."""
        deadline = time.monotonic() + patience
        while set(self.asked) - set(self._box.came) and time.monotonic() < deadline:
            time.sleep(0.1)
        waits = [
            self._box.came[address] - at
            for address, at in self.asked.items()
            if address in self._box.came
        ]
        return {
            "pages_ms": {name: spread(times, 1000.0) for name, times in self.took.items()},
            "statuses": dict(self.statuses),
            "letters": {
                "asked": len(self.asked),
                "not_asked": self.refused,
                "arrived": len(waits),
                **spread(waits, 1.0),
            },
        }


def spread(values: list[float], unit: float) -> dict[str, float]:
    """Return median, 95th and 99th percentile and the longest, in the unit."""
    if not values:
        return {}
    at = sorted(values)
    return {
        "p50": round(median(at) * unit, 2),
        "p95": round(at[min(len(at) - 1, len(at) * 95 // 100)] * unit, 2),
        "p99": round(at[min(len(at) - 1, len(at) * 99 // 100)] * unit, 2),
        "max": round(at[-1] * unit, 2),
    }
