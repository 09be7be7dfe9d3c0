"""The inbox page: what the mail catcher caught, for whoever sits at this machine."""

import email
import email.policy
import html
import http.client
import re
from datetime import datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from local.caught import Inbox, Mail

MAILS_A_PAGE = 50
HERE = Path(__file__).parent
FILES = {
    "/inbox.css": ("text/css; charset=utf-8", (HERE / "inbox.css").read_bytes()),
    "/inbox.js": ("text/javascript; charset=utf-8", (HERE / "inbox.js").read_bytes()),
}
STRICT = (
    "default-src 'none'; style-src 'self'; img-src data:; script-src 'self'; connect-src 'self';"
    " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail may show its pictures (so that opening it is measured where that is allowed) and open its
# links in a new tab; it runs nothing and cannot reach the page around it.
OF_A_MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)
HEADERS_SHOWN = ("From", "To", "Reply-To", "Date", "List-Unsubscribe", "List-Unsubscribe-Post")


def page(title: str, body: str) -> bytes:
    """Return a whole page."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/inbox.css"><link rel="icon" href="data:,">'
        '<script src="/inbox.js" defer></script></head><body>'
        '<header><a class="home" href="/">Inbox</a>'
        "<p>Every mail this machine sends is caught here; none leaves it.</p></header>"
        f"<main>{body}</main></body></html>"
    ).encode()


def parsed(mail: Mail) -> EmailMessage:
    """Return a mail, taken apart."""
    message = email.message_from_bytes(mail.raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def subject(mail: Mail) -> str:
    """Return a mail's subject, safe to show; reads no further than the headers."""
    head = Mail(0, "", "", mail.at, mail.raw.partition(b"\r\n\r\n")[0])
    return html.escape(str(parsed(head)["Subject"] or "")) or "(no subject)"


def when(at: datetime) -> str:
    """Return the time of day, with the day before it where that is not today."""
    today = at.date() == datetime.now().astimezone().date()
    return f"{at:%H:%M:%S}" if today else f"{at:%d %b %H:%M}"


def list_page(inbox: Inbox, address_part: str, before: int) -> bytes:
    """Return the list of mails, newest first."""
    mails = [mail for mail in inbox.to(address_part) if not before or mail.number < before]
    safe = html.escape(address_part, quote=True)
    search = (
        '<form role="search" method="get" action="/"><label for="to">To</label>'
        f' <input id="to" name="to" type="search" value="{safe}" autocomplete="off"'
        ' placeholder="part of an address"> <button>Show</button></form>'
        '<p class="follow" hidden><label><input type="checkbox" id="follow" checked>'
        " Show new mails as they come</label></p>"
    )
    shown = f'<div id="mails">{_mails(inbox, mails, address_part)}</div>'
    return page("Inbox", f"<h1>Inbox</h1>{search}{shown}")


def _mails(inbox: Inbox, mails: list[Mail], address_part: str) -> str:
    if not mails:
        hint = "No mail yet. Sign up on a public page or send a campaign: it arrives here."
        if address_part:
            hint = (
                f"No mail to “{html.escape(address_part)}” among the newest {len(inbox.mails):,}."
            )
        return f'<p class="empty">{hint}</p>'
    rows = "".join(
        f'<li><a href="/mail/{mail.number}"><b>{subject(mail)}</b>'
        f"<span>to {html.escape(mail.recipient)}</span>"
        f'<time datetime="{mail.at.isoformat(timespec="seconds")}">{when(mail.at)}</time></a></li>'
        for mail in mails[:MAILS_A_PAGE]
    )
    older = ""
    if len(mails) > MAILS_A_PAGE:
        last = mails[MAILS_A_PAGE - 1].number
        older = f'<p><a href="/?to={quote(address_part)}&amp;before={last}">Older mails</a></p>'
    summary = f"<p>{inbox.count:,} caught so far; the newest {len(inbox.mails):,} are kept.</p>"
    return f'{summary}<ol class="mails">{rows}</ol>{older}'


def mail_page(mail: Mail) -> bytes:
    """Return one mail: headers, HTML in a sandboxed frame, text, the way to its source."""
    message = parsed(mail)
    headers = "".join(
        f"<dt>{name}</dt><dd>{html.escape(str(message[name]))}</dd>"
        for name in HEADERS_SHOWN
        if message[name]
    )
    text = message.get_body(("plain",))
    shown = f'<pre tabindex="0">{with_links(text.get_content())}</pre>' if text else "<p>None.</p>"
    frame = (
        f'<iframe title="The mail as HTML" src="/mail/{mail.number}/html"'
        ' sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
    )
    as_html = frame if message.get_body(("html",)) else "<p>None.</p>"
    title = subject(mail)
    return page(
        title,
        f"<h1>{title}</h1><dl>{headers}<dt>Envelope</dt><dd>from"
        f" {html.escape(mail.sender) or '(nobody)'} to {html.escape(mail.recipient)}</dd></dl>"
        f'{_one_click(mail, message)}<p><a href="/mail/{mail.number}/source">Raw source</a></p>'
        f"<h2>HTML</h2>{as_html}<h2>Text</h2>{shown}",
    )


def with_links(text: str) -> str:
    """Return plain text as HTML, its addresses as links that open in a new tab."""
    parts = re.split(r"(https?://[^\s<>\"]*[^\s<>\".,;:!?)\]])", text)
    for index, part in enumerate(parts):
        safe = html.escape(part)
        is_link = index % 2
        parts[index] = f'<a href="{safe}" target="_blank" rel="noopener">{safe}</a>'
        parts[index] = parts[index] if is_link else safe
    return "".join(parts)


def unsubscribe_link(message: EmailMessage) -> str | None:
    """Return where a mail program would post its one click (RFC 8058 §3.2), if anywhere."""
    if "one-click" not in str(message["List-Unsubscribe-Post"] or "").lower():
        return None
    match = re.search(r"<(https?://[^>]+)>", str(message["List-Unsubscribe"] or ""))
    return match[1] if match else None


def _one_click(mail: Mail, message: EmailMessage) -> str:
    if not unsubscribe_link(message):
        return ""
    return (
        f'<form method="post" action="/mail/{mail.number}/unsubscribe">'
        "<button>Unsubscribe</button> <span>as a mail program’s own button does</span></form>"
    )


def click_once(link: str) -> str:
    """Post the one click as a mail program does; return what the server answered."""
    where = urlsplit(link)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    line = kind(where.netloc, timeout=10)
    try:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        path = where.path + (f"?{where.query}" if where.query else "")
        line.request("POST", path or "/", "List-Unsubscribe=One-Click", form)
        answer = line.getresponse()
        return f"The server answered {answer.status} {answer.reason}."
    except OSError as fault:
        return f"The server could not be reached: {fault}."
    finally:
        line.close()


class Pages(BaseHTTPRequestHandler):
    """The inbox over HTTP, for this machine only."""

    inbox: Inbox

    def do_GET(self) -> None:
        """Answer a page."""
        where = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(where.query).items()}
        if where.path == "/":
            before = query.get("before", "")
            start = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else 0
            return self._answer(list_page(self.inbox, query.get("to", ""), start))
        if where.path in FILES:
            kind, content = FILES[where.path]
            return self._answer(content, kind=kind)
        mail, part = self._asked_for(where.path)
        if mail is None:
            return self._no_such_mail()
        if part == "/source":
            return self._answer(mail.raw, kind="text/plain; charset=utf-8")
        if part == "/html":
            return self._answer(_html_of(mail), policy=OF_A_MAIL)
        return self._answer(mail_page(mail))

    def do_POST(self) -> None:
        """Press a mail's one-click unsubscribe; a page elsewhere cannot."""
        mail, part = self._asked_for(urlsplit(self.path).path)
        link = unsubscribe_link(parsed(mail)) if mail and part == "/unsubscribe" else None
        origin = self.headers.get("Origin")
        if not mail or not link:
            return self._no_such_mail()
        if origin and urlsplit(origin).netloc != self.headers.get("Host"):
            return self._answer(page("Refused", "<h1>Refused</h1>"), 403)
        message = html.escape(click_once(link))
        back = (
            f'<p role="status">{message}</p><p><a href="/mail/{mail.number}">Back to the mail</a>'
        )
        return self._answer(page("Unsubscribed", f"<h1>One click sent</h1>{back}</p>"))

    def _asked_for(self, path: str) -> tuple[Mail | None, str]:
        match = re.fullmatch(r"/mail/([0-9]{1,12})(/html|/source|/unsubscribe)?", path)
        return (self.inbox.find(int(match[1])), match[2] or "") if match else (None, "")

    def _no_such_mail(self) -> None:
        hint = '<p>It may have made room for newer ones. <a href="/">To the inbox</a></p>'
        self._answer(page("No such mail", f"<h1>No such mail</h1>{hint}"), 404)

    def _answer(
        self,
        body: bytes,
        status: int = 200,
        *,
        kind: str = "text/html; charset=utf-8",
        policy: str = STRICT,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: the page asks again every two seconds."""


def _html_of(mail: Mail) -> bytes:
    part = parsed(mail).get_body(("html",))
    shown = str(part.get_content()) if part else ""
    with_base = re.sub(r"(<head(\s[^>]*)?>)", r'\1<base target="_blank">', shown, count=1)
    return (with_base if with_base != shown else f'<base target="_blank">{shown}').encode()


def serve(inbox: Inbox, port: int) -> ThreadingHTTPServer:
    """Return the server of an inbox's pages, bound to a loopback port, not yet serving."""
    pages = type("PagesOfOne", (Pages,), {"inbox": inbox})
    server = ThreadingHTTPServer(("127.0.0.1", port), pages)
    server.daemon_threads = True
    return server
