"""The mail catcher: takes every mail by SMTP on this machine and shows it on an inbox page."""

import argparse
import email
import email.policy
import html
import re
import signal
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 2_000
PAGE = 50
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' http: https: data:;"
    " frame-src 'self'; form-action 'self'; base-uri 'none'"
)
STYLE = (Path(__file__).parent / "inbox.css").read_text()


@dataclass(frozen=True)
class Mail:
    """One mail as it came in."""

    number: int
    sender: str
    recipient: str
    at: datetime
    raw: bytes

    def read(self) -> EmailMessage:
        """Return the mail parsed."""
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def header(self, name: str) -> str:
        """Return one header, readable."""
        return str(self.read().get(name, ""))


@dataclass
class Inbox:
    """The newest mails, kept in memory and as files; all are counted."""

    folder: Path
    mails: deque[Mail] = field(default_factory=lambda: deque(maxlen=KEPT))
    count: int = 0
    by_recipient: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.folder.glob("*.eml"))[-KEPT:]:
            sender, recipient, _, raw = path.read_bytes().split(b"\n", 3)
            at = datetime.fromtimestamp(path.stat().st_mtime)
            self.count = int(path.stem)
            mail = Mail(self.count, sender.decode(), recipient.decode(), at, raw)
            self.mails.append(mail)

    def take(self, sender: str, recipient: str, raw: bytes) -> None:
        """Keep one mail; the oldest beyond 2,000 goes."""
        self.count += 1
        if len(self.mails) == KEPT:
            (self.folder / f"{self.mails[0].number:09}.eml").unlink(missing_ok=True)
        mail = Mail(self.count, sender, recipient, datetime.now(), raw)
        self.mails.append(mail)
        said = f"{sender}\n{recipient}\n\n".encode(errors="replace")
        (self.folder / f"{mail.number:09}.eml").write_bytes(said + raw)

    def find(self, number: int) -> Mail | None:
        """Return one mail by its number."""
        return next((mail for mail in list(self.mails) if mail.number == number), None)

    def to(self, words: str) -> list[Mail]:
        """Return the newest mails first, those whose recipient holds the words."""
        words = words.strip().lower()
        return [mail for mail in reversed(list(self.mails)) if words in mail.recipient.lower()]


class Handler:
    """What aiosmtpd calls for each mail."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the mail, once for each recipient."""
        for recipient in envelope.rcpt_tos:
            content = envelope.content or b""
            raw = content if isinstance(content, bytes) else content.encode()
            self.inbox.take(envelope.mail_from or "", recipient, raw)
        return f"250 2.0.0 Ok, kept as {self.inbox.count}"


def page(title: str, body: str, *, refresh: bool = False) -> bytes:
    """Return a whole page."""
    again = '<meta http-equiv="refresh" content="5">' if refresh else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{again}'
        f"<style>{STYLE}</style></head><body><header><a class=home href=/>Inbox</a>"
        "<p>Every mail this machine sent is caught here; none has left it.</p></header>"
        f"<main>{body}</main></body></html>"
    ).encode()


def list_page(inbox: Inbox, words: str, before: int) -> bytes:
    """Return the list of mails, newest first."""
    found = [mail for mail in inbox.to(words) if not before or mail.number < before]
    safe = html.escape(words, quote=True)
    search = (
        '<form method=get role=search><label for=to>To</label> <input id=to name=to type=search'
        f' value="{safe}" placeholder="part of an address"> <button>Show</button></form>'
    )
    if not found:
        hint = (
            f"No mail to “{safe}”."
            if words
            else "No mail yet. Sign up on a public page or send a campaign; it arrives here."
        )
        return page("Inbox", f"<h1>Inbox</h1>{search}<p class=empty>{hint}</p>", refresh=True)
    rows = "".join(
        f"<li><a href=/mail/{mail.number}><b>{html.escape(mail.header('Subject')) or '(no subject)'}"
        f"</b><span>to {html.escape(mail.recipient)}</span>"
        f"<time>{mail.at:%H:%M:%S}</time></a></li>"
        for mail in found[:PAGE]
    )
    older = ""
    if len(found) > PAGE:
        last = found[PAGE - 1].number
        older = f'<p><a href="/?to={quote(words)}&amp;before={last}">Older mails</a></p>'
    told = f"<p>{inbox.count:,} mails so far; the newest {len(inbox.mails):,} are kept.</p>"
    body = f"<h1>Inbox</h1>{search}{told}<ol class=mails reversed>{rows}</ol>{older}"
    return page("Inbox", body, refresh=not before)


def mail_page(mail: Mail) -> bytes:
    """Return one mail: headers, HTML in a sandboxed frame, text, source."""
    parsed = mail.read()
    names = ("From", "To", "Reply-To", "Subject", "Date", "List-Unsubscribe", "Message-ID")
    headers = "".join(
        f"<dt>{name}</dt><dd>{html.escape(str(parsed[name]))}</dd>" for name in names if parsed[name]
    )
    text = parsed.get_body(("plain",))
    shown = html.escape(text.get_content()) if text else "(no text part)"
    shown = re.sub(r"(https?://[^\s&lt;)\]]+)", r'<a href="\1" target=_blank rel=noopener>\1</a>', shown)
    frame = (
        f'<iframe title="HTML part of the mail" src=/mail/{mail.number}/html'
        ' sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
    )
    html_part = frame if parsed.get_body(("html",)) else "<p>(no HTML part)</p>"
    subject = html.escape(mail.header("Subject")) or "(no subject)"
    return page(
        subject,
        f"<p><a href=/>All mails</a></p><h1>{subject}</h1><dl>{headers}"
        f"<dt>Envelope from</dt><dd>{html.escape(mail.sender)}</dd></dl>"
        f"<section><h2>HTML</h2>{html_part}</section>"
        f"<section><h2>Text</h2><pre tabindex=0>{shown}</pre></section>"
        f"<p><a href=/mail/{mail.number}/source>Raw source</a></p>",
    )


class InboxPages(BaseHTTPRequestHandler):
    """The inbox over HTTP, for this machine only."""

    inbox: Inbox

    def do_GET(self) -> None:
        """Answer a page."""
        where = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        if where.path == "/":
            before = asked.get("before", "")
            start = int(before) if before.isdigit() else 0
            return self._answer(list_page(self.inbox, asked.get("to", ""), start))
        found = re.fullmatch(r"/mail/(\d+)(/html|/source)?", where.path)
        mail = self.inbox.find(int(found[1])) if found else None
        if mail is None or found is None:
            body = "<h1>No such mail</h1><p>It may have made room for newer ones. <a href=/>Inbox</a></p>"
            return self._answer(page("No such mail", body), 404)
        if found[2] == "/source":
            return self._answer(mail.raw, kind="text/plain; charset=utf-8")
        if found[2] == "/html":
            part = mail.read().get_body(("html",))
            shown = part.get_content() if part else ""
            shown = re.sub(r"(<head[^>]*>)", r'\1<base target="_blank">', shown, count=1)
            return self._answer(shown.encode())
        return self._answer(mail_page(mail))

    def _answer(self, body: bytes, status: int = 200, kind: str = "text/html; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY.replace("base-uri 'none'", "base-uri 'self'"))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: the page refreshes itself every few seconds."""


class Catcher:
    """SMTP and pages of one inbox."""

    def __init__(self, folder: Path, *, smtp_port: int, web_port: int) -> None:
        self.inbox = Inbox(folder)
        self.controller = Controller(
            Handler(self.inbox),
            hostname="127.0.0.1",
            port=smtp_port,
            data_size_limit=20_000_000,
            ready_timeout=10,
        )
        pages = type("Pages", (InboxPages,), {"inbox": self.inbox})
        self.pages = ThreadingHTTPServer(("127.0.0.1", web_port), pages)
        self.pages.daemon_threads = True

    def __enter__(self) -> "Catcher":
        self.controller.start()
        threading.Thread(target=self.pages.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.controller.stop()
        self.pages.shutdown()
        self.pages.server_close()


def main() -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.catcher", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--web-port", type=int, required=True)
    told = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Catcher(told.folder, smtp_port=told.smtp_port, web_port=told.web_port):
        stop.wait()


if __name__ == "__main__":
    main()
