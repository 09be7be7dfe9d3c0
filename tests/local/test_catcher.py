"""The mail catcher and its inbox page."""

import random
import smtplib
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from local.catcher import Catcher
from local.caught import Inbox
from local.inbox import with_links
from local.ports import hold_port


@pytest.fixture
def caught(tmp_path: Path) -> Iterator[Catcher]:
    """Return a running catcher."""
    smtp_port = hold_port(random.randrange(19_000, 30_000)).release()
    running = Catcher(tmp_path, smtp_port=smtp_port, web_port=hold_port(smtp_port + 1).release())
    with running:
        yield running


def mail(subject: str = "News", *, one_click: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "heron@example.org", "ada@example.org"
    message["Subject"] = subject
    if one_click:
        message["List-Unsubscribe"] = f"<{one_click}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Hello\n.hidden dot\n..two\nhttps://example.org/little?a=1&b=2.\n")
    html = "<html><head></head><body><a href='https://example.org/'>x</a></body></html>"
    message.add_alternative(html, subtype="html")
    message.set_boundary("edge-of-a-part")
    return message


def send(caught: Catcher, message: EmailMessage, to: str = "ada@example.org") -> None:
    with smtplib.SMTP("127.0.0.1", caught.smtp.port) as line:
        line.send_message(message, "bounce@example.org", [to])


def get(caught: Catcher, path: str) -> tuple[str, dict[str, str]]:
    with urlopen(f"http://127.0.0.1:{caught.pages.server_port}{path}") as answer:
        return answer.read().decode(), dict(answer.headers)


def test_a_mail_is_kept_byte_for_byte(caught: Catcher) -> None:
    message = mail()
    send(caught, message)
    source, headers = get(caught, "/mail/1/source")
    assert source == message.as_bytes(policy=SMTP).decode()
    assert headers["Content-Type"].startswith("text/plain")


def test_the_list_shows_the_newest_first_and_can_be_narrowed(caught: Catcher) -> None:
    send(caught, mail("First"), "ada@example.org")
    send(caught, mail("Second"), "ben@example.org")
    everything, _ = get(caught, "/")
    assert 0 < everything.index("Second") < everything.index("First")
    narrowed, _ = get(caught, "/?to=BEN@")
    assert "Second" in narrowed
    assert "First" not in narrowed


def test_an_empty_inbox_says_what_to_do(caught: Catcher) -> None:
    assert "No mail yet" in get(caught, "/")[0]


def test_what_a_mail_says_is_never_markup_of_the_page(caught: Catcher) -> None:
    send(caught, mail("<script>alert(1)</script>"))
    for path in ("/", "/mail/1", "/?to=%3Cscript%3E"):
        assert "<script>" not in get(caught, path)[0]


def test_html_has_an_address_and_a_policy_of_its_own(caught: Catcher) -> None:
    send(caught, mail())
    shown, headers = get(caught, "/mail/1/html")
    policy = headers["Content-Security-Policy"]
    assert '<base target="_blank">' in shown
    assert "sandbox allow-popups" in policy
    assert "script" not in policy
    assert "sandbox=" in get(caught, "/mail/1")[0]


def test_links_of_the_text_part_are_whole() -> None:
    shown = with_links("Read <https://example.org/little?a=1&b=2>, or (http://h.example/x).")
    assert 'href="https://example.org/little?a=1&amp;b=2"' in shown
    assert 'href="http://h.example/x"' in shown
    assert shown.startswith("Read &lt;<a ")


def test_the_newest_are_kept_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.caught.MAILS_KEPT", 20)
    inbox = Inbox(tmp_path)
    for number in range(1, 51):
        inbox.take("a@example.org", f"{number}@example.org", b"Subject: x\r\n\r\n")
        time.sleep(0.001)
    inbox.close()
    assert (inbox.count, len(inbox.mails), inbox.mails[0].number) == (50, 20, 31)
    assert sorted(int(path.stem) for path in tmp_path.glob("*.eml")) == list(range(31, 51))
    again = Inbox(tmp_path)
    assert [mail.recipient for mail in again.mails] == [mail.recipient for mail in inbox.mails]
    assert again.count == 50


def test_a_mail_that_made_room_is_answered_kindly(caught: Catcher) -> None:
    with pytest.raises(HTTPError) as refused:
        get(caught, "/mail/7")
    assert refused.value.code == 404
    assert b"made room" in refused.value.read()


def test_the_servers_own_greeting_offers_pipelining(caught: Catcher) -> None:
    with smtplib.SMTP("127.0.0.1", caught.smtp.port) as line:
        line.ehlo()
        assert line.has_extn("pipelining")


class Listener(BaseHTTPRequestHandler):
    """Notes what was posted."""

    posted: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.posted.append((self.path, self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def listener() -> Iterator[HTTPServer]:
    """Return a web server that notes what was posted."""
    Listener.posted = []
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def press(caught: Catcher, **headers: str) -> str:
    address = f"http://127.0.0.1:{caught.pages.server_port}/mail/1/unsubscribe"
    with urlopen(Request(address, b"", headers, method="POST")) as answer:
        return str(answer.read().decode())


def test_the_unsubscribe_button_posts_what_mail_programs_post(
    caught: Catcher, listener: HTTPServer
) -> None:
    """RFC 8058 §3.2."""
    send(caught, mail(one_click=f"http://127.0.0.1:{listener.server_port}/u/token"))
    assert "answered 200" in press(caught)
    assert Listener.posted == [("/u/token", b"List-Unsubscribe=One-Click")]


def test_another_site_cannot_press_the_button(caught: Catcher, listener: HTTPServer) -> None:
    send(caught, mail(one_click=f"http://127.0.0.1:{listener.server_port}/u/token"))
    with pytest.raises(HTTPError) as refused:
        press(caught, Origin="http://elsewhere.example")
    refused.value.close()
    assert refused.value.code == 403
    assert Listener.posted == []
