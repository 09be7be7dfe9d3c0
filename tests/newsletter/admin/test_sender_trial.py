"""A trial mail: the conversation line by line, nothing secret, what DNS says, and what to do.

Mirrors several: newsletter/admin/sender_trial.py, newsletter/review/sender_trials.py,
newsletter/transports/recorded.py, newsletter/receivers/sender_records.py.
"""

import base64
from collections.abc import Iterator
from email import message_from_bytes

import dns.asyncresolver
import pytest
from django.test import Client as Browser
from django.urls import reverse

from accountability.models import AuditEntry
from newsletter.models import Sender
from newsletter.receivers.sender_records import look_up
from newsletter.review.sender_trials import SenderTrial, send_trial
from newsletter.transports.recorded import Conversation
from newsletter.transports.settings import SmtpSettings
from tests.cast import Cast, make_client, make_sender
from tests.newsletter.receivers.name_server import NameServer
from tests.newsletter.transports.providers.recording import Reply, recording
from tests.scripted_smtp import Answer, Moment, ScriptedSmtp

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
TXT = {
    "heron.example.org": ['"v=spf1 include:mail.example -all"', '"something else"'],
    "s1._domainkey.heron.example.org": ['"v=DKIM1; k=rsa; p=MIGf" "MA0G"'],
    "_dmarc.example.org": ['"v=DMARC1; p=quarantine"'],
}


@pytest.fixture(autouse=True)
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """Return the one name server there is."""
    with NameServer({"heron.example.org": ["10 mx.example.org."]}, silent=set(), txt=TXT) as dns_:
        resolver = dns_.resolver()
        monkeypatch.setattr(dns.asyncresolver, "Resolver", lambda *_, **__: resolver)
        yield dns_


def trial_of(sender: Sender, server: ScriptedSmtp, **changes: object) -> SenderTrial:
    """Send a trial mail by a server of the sender's own."""
    fields = {"transport": "smtp", "host": "127.0.0.1", "port": server.port, "security": "none"}
    for name, value in (fields | changes).items():
        setattr(sender, name, value)
    sender.save()
    return send_trial(sender, "adam@staff.example.org")


@pytest.mark.parametrize("way", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("right", [True, False])
def test_the_conversation_is_shown_and_nothing_secret_of_it(
    cast: Cast, way: str, right: bool
) -> None:
    """Not plain, not in base64, not the digest, not even where the server says it again."""

    def parrot(moment: Moment) -> Answer:
        echo = f" {PASSWORD} {base64.b64encode(PASSWORD.encode()).decode()} ada@heron.example.org"
        return f"535 5.7.8 no{echo}\r\n".encode() if moment.step == "AUTH" and not right else None

    known = {"ada": PASSWORD if right else "else"}
    with ScriptedSmtp(parrot, (f"AUTH {way}", "8BITMIME"), sign_ins=known) as server:
        trial = trial_of(cast.sender, server, username="ada", password=PASSWORD)
    text = "\n".join(line for _, line in trial.lines)
    assert trial.is_taken is right
    for secret in (PASSWORD, PASSWORD.encode().hex(), "ada@heron"):
        assert secret not in text + trial.outcome
    for coded in (PASSWORD, f"\0ada\0{PASSWORD}", "ada"):
        assert base64.b64encode(coded.encode()).decode() not in text
    assert f"AUTH {way}" in text and "EHLO" in text and "220 scripted.example" in text
    assert ("235" in text and "(the mail, " in text) is right
    if not right:
        assert "user name and password" in trial.advice


def test_the_mail_is_one_of_its_own(cast: Cast) -> None:
    with ScriptedSmtp() as server:
        trial = trial_of(cast.sender, server)
    assert trial.is_taken and trial.outcome.startswith("sent: 250")
    [data] = server.messages["adam@staff.example.org"]
    mail = message_from_bytes(data)
    assert mail["From"] == "Heron Books <post@heron.example.org>"
    assert mail["To"] == "adam@staff.example.org" and "The shop" in mail["Subject"]


@pytest.mark.parametrize(
    ("changes", "outcome", "advice"),
    [
        ({"host": "smtp://mail.example.org"}, "write the host alone", "form"),
        ({"port": 1}, "cannot connect", "host and port"),
        ({"security": "starttls"}, "STARTTLS", "TLS from the start"),
        ({"username": "ada"}, "does not offer AUTH", "empty the user name"),
        ({"from_address": '"x y"@heron.example.org'}, "quotation marks", "fields of the form"),
    ],
)
def test_what_cannot_send_says_why_and_what_to_do(
    cast: Cast, changes: dict[str, object], outcome: str, advice: str
) -> None:
    with ScriptedSmtp() as server:
        trial = trial_of(cast.sender, server, **changes)
    assert not trial.is_taken
    assert outcome in trial.outcome and advice in trial.advice


def test_a_refused_mail_shows_what_the_server_said(cast: Cast) -> None:
    def refuses(moment: Moment) -> Answer:
        return b"550 5.7.1 <post@heron.example.org> not yours\r\n" if moment.step == "end" else None

    with ScriptedSmtp(refuses) as server:
        trial = trial_of(cast.sender, server)
    assert trial.outcome == "failed: 550 5.7.1 <address> not yours"
    assert "send from post@heron.example.org" in trial.advice


@pytest.mark.parametrize("status", [200, 401])
def test_a_provider_s_outcome_is_shown(cast: Cast, status: int) -> None:
    message = {"id": 1, "token": "t"}
    taken = {"message_id": "m", "messages": {"adam@staff.example.org": message}}
    answer = {"status": "success", "data": taken} if status == 200 else {"message": "bad key"}
    with recording(lambda call: Reply(status, answer)) as api:
        sender = cast.sender
        sender.transport, sender.provider = "provider", "postal"
        sender.credentials = f'{{"api_key": "key-for-tests", "api_url": "{api.url}"}}'
        trial = send_trial(sender, "adam@staff.example.org")
    assert trial.is_taken is (status == 200)
    assert not trial.lines and "key-for-tests" not in trial.outcome
    assert ("bad key" in trial.outcome) is (status == 401)


def test_dns_is_asked_of_every_domain_with_a_verdict_each(cast: Cast) -> None:
    verdicts = look_up("heron.example.org", "heron.example.org", "s1")
    assert [(verdict.name, verdict.is_good) for verdict in verdicts] == [
        ("SPF of heron.example.org", True),
        ("DKIM key s1 of heron.example.org", True),
        ("DMARC of example.org", True),
        ("MX of heron.example.org", True),
    ]
    assert "p=MIGfMA0G" in verdicts[1].record and "quarantine" in verdicts[2].explanation
    missing = look_up("otter.example.net", "b.otter.example.net", "s1")
    assert [verdict.is_good for verdict in missing] == [False] * 5


@pytest.mark.parametrize(
    ("txt", "name"),
    [
        ({"a.example": ['"v=spf1 -all"', '"v=spf1 ~all"']}, "SPF of a.example"),
        ({"a.example": ['"v=spf1 +all"']}, "SPF of a.example"),
        ({"a.example": ['"v=spf10 -all"']}, "SPF of a.example"),
        (
            {"_dmarc.a.example": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']},
            "DMARC of a.example",
        ),
        ({"_dmarc.a.example": ['"v=DMARC1; pct=5"']}, "DMARC of a.example"),
        ({"s._domainkey.a.example": ['"v=DKIM1; p="']}, "DKIM key s of a.example"),
        ({"s._domainkey.a.example": ['"v=DKIM1; k=rsa"']}, "DKIM key s of a.example"),
        ({}, "MX of a.example"),
    ],
)
def test_a_record_that_is_wrong_is_said_to_be(
    name_server: NameServer, txt: dict[str, list[str]], name: str
) -> None:
    name_server.mx, name_server.txt = {"a.example": ["0 ."]}, txt
    by_name = {verdict.name: verdict for verdict in look_up("a.example", "a.example", "s")}
    assert by_name[name].is_good is False


def page_of(sender: Sender) -> str:
    return reverse("admin:newsletter_sender_trial", args=[sender.pk])


def test_the_page_sends_to_oneself_alone(cast: Cast, administrator: Browser) -> None:
    """Noted in the trail; a GET sends nothing; after some it asks to wait."""
    with ScriptedSmtp() as server:
        trial_of(cast.sender, server)
        server.delivered.clear()
        assert administrator.get(page_of(cast.sender)).status_code == 405
        answer = administrator.post(page_of(cast.sender), {"selector": "s1", "to": "x@example.org"})
        assert dict(server.delivered) == {"adam@staff.example.org": 1}
        text = answer.content.decode()
        assert "was taken" in text and "220 scripted.example" in text and "DKIM key s1" in text
        assert AuditEntry.objects.filter(act="trial", client=cast.client.pk).count() == 1
        wrong = administrator.post(page_of(cast.sender), {"selector": "s1; drop"}, follow=True)
        assert "selector has letters" in wrong.content.decode()
        codes = [administrator.post(page_of(cast.sender)).status_code for _ in range(6)]
        assert codes[:4] == [200] * 4 and codes[-1] == 302
        assert server.delivered["adam@staff.example.org"] == 5


def test_nobody_else_sends_one(cast: Cast, browser: Browser, administrator: Browser) -> None:
    """Not a marketer, nor an administrator of another client."""
    assert browser.post(page_of(cast.sender)).status_code in (403, 404)
    theirs = make_sender(make_client("Otter Press", "otter"), name="Theirs")
    assert administrator.post(page_of(theirs)).status_code == 404
    assert Browser().post(page_of(cast.sender)).status_code == 302
    assert not AuditEntry.objects.filter(act="trial").exists()


def test_a_challenge_in_pieces_stays_masked() -> None:
    """However the network cuts it, the answer to it is never shown."""
    conversation = Conversation(SmtpSettings(host="127.0.0.1", username="ada", password="x"))
    conversation.sent(b"AUTH CRAM-MD5\r\n")
    for piece in (b"33", b"4 PD", b"E+\r", b"\n"):
        conversation.received(piece)
    conversation.sent(b"YWRhIGRpZ2VzdA==\r\n")
    conversation.received(b"235 ok\r\n")
    assert [line for _, line in conversation.lines] == [
        "AUTH CRAM-MD5", "334 ••••", "••••", "235 ok"
    ]  # fmt: skip
