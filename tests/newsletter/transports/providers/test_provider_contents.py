"""What reaches a recipient through each provider is the mail we rendered, and nobody else's.

Mirrors several: newsletter/transports/providers/unpacking.py,
newsletter/transports/providers/placeholders.py, newsletter/transports/providers/backends.py.
"""

import json
from dataclasses import replace
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest

from newsletter.transports import Message, Transport
from newsletter.transports.providers import PROVIDERS, ProviderTransport, unfit
from registrants import tokens
from registrants.tokens import Scope
from tests.newsletter.mails import parsed, part
from tests.newsletter.transports.providers.contracts import (
    BATCHES,
    NAMES,
    TAKES_PLACEHOLDERS,
    Provider,
    by_delivery,
    letters,
    mail,
    wire,
)
from tests.newsletter.transports.providers.recording import recording
from tests.newsletter.transports.providers.seen import Seen

ALL = pytest.mark.parametrize("name", NAMES)
PLACEHOLDERS = "{{ x }} %recipient.name% [[var:a]] *|FNAME|*"
OURS = {"date", "mime-version", "content-type", "content-transfer-encoding"}
APART = {"from", "to", "subject", "reply-to"}


def sent(name: str, messages: list[Message], **changes: object) -> list[Seen]:
    """Send through a provider that takes everything; return what it saw."""
    provider = Provider(name)
    with recording(provider) as api, wire(name, api, **changes) as transport:
        outcomes = by_delivery(transport.send(messages))
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}, outcomes
    assert list(outcomes) == [message.delivery for message in messages]
    return provider.seen


@ALL
def test_every_field_and_both_bodies_arrive_as_rendered(name: str) -> None:
    """AT-A1, A-1: own List-Unsubscribe, -Post, List-Id, Feedback-ID, Message-ID; text and HTML."""
    message = mail(1)
    mime = parsed(message.data)
    [seen] = sent(name, [message])
    for field, value in mime.items():
        if field.lower() in OURS | APART:
            continue
        assert seen.headers[field.lower()] == " ".join(str(value).split()), field
    for wanted in ("list-unsubscribe", "list-unsubscribe-post", "list-id", "feedback-id",
                   "message-id", "x-auto-response-suppress"):  # fmt: skip
        assert wanted in seen.headers
    assert (seen.sender_name, seen.sender) == parseaddr(str(mime["From"]))
    assert seen.subject == str(mime["Subject"]) and seen.to == "r1@example.org"
    assert seen.reply_to == str(mime["Reply-To"])
    assert seen.text == part(message.data, "plain")
    assert seen.html == part(message.data, "html")


@ALL
def test_a_name_that_is_not_ascii_arrives(name: str) -> None:
    """A-1: a list's name in another script is kept where the provider can, its id always."""
    message = mail(1, list_id='"Öffentlich ✓" <news.client.example>', subject="Grüße ✓")
    [seen] = sent(name, [message])
    assert seen.subject == "Grüße ✓" and seen.sender_name == "Ärzte & Co"
    assert seen.headers["list-id"].endswith("<news.client.example>")
    known = str(make_header(decode_header(seen.headers["list-id"])))
    assert ("Öffentlich ✓" in known) == (name != "brevo")


LONG_NAMES = [
    "हेरॉन किताबें और बहुत लंबा नाम जो टूट जाएगा",
    "Buchhandlung Müller & Söhne, Inhaber Jürgen Groß in Köln am Rhein",
    "👩‍👩‍👧 Family of three 🏳️‍🌈 and some more of them",
    "مكتبة مالك الحزين للكتب القديمة والجديدة",
    "é " * 40 + "é",
    "A" * 70 + " é",
    'The "Zoë" <Best> \\ of; all: (them), with @ and = signs',
    "=?utf-8?not a word?=",
]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "amazon_ses"])
def test_a_long_name_arrives_as_it_was_written(name: str) -> None:
    """Written from the name itself: a parser of encoded words doubles and loses its blanks.

    Amazon is given the mail whole.
    """
    messages = [mail(number, from_name=long) for number, long in enumerate(LONG_NAMES, 1)]
    names = {seen.to: seen.sender_name for seen in sent(name, messages)}
    if name == "brevo":  # django-anymail encodes a name with a comma for it
        names = {to: str(make_header(decode_header(shown))) for to, shown in names.items()}
    assert [names[message.recipient] for message in messages] == LONG_NAMES


def test_postmark_is_asked_to_keep_our_message_id() -> None:
    """M-3: it would put one of its own in its place."""
    [seen] = sent("postmark", [mail(1)])
    assert seen.headers["x-pm-keepid"] == "true"


@ALL
def test_a_notice_has_no_list_fields_and_keeps_auto_submitted(name: str) -> None:
    """AT-A1: what is not a campaign says so itself."""
    message = mail(1, kind="notice")
    [seen] = sent(name, [message])
    assert seen.headers["auto-submitted"] == "auto-generated"
    assert "list-unsubscribe" not in seen.headers


@ALL
def test_nobody_is_told_anything_of_the_others(name: str) -> None:
    """AT-A1: each mail holds its own address, token and links alone."""
    messages = letters(3)
    seens = sent(name, messages)
    assert [seen.to for seen in seens] == [message.recipient for message in messages]
    for seen, message in zip(seens, messages, strict=True):
        whole = seen.whole if isinstance(seen.whole, str) else json.dumps(seen.whole)
        own_unsubscribe = str(parsed(message.data)["List-Unsubscribe"])
        assert seen.headers["list-unsubscribe"] == own_unsubscribe
        for other in messages:
            if other is not message:
                assert other.recipient not in whole
                assert tokens.make_base32(Scope.BOUNCE, other.delivery) not in whole
                assert str(parsed(other.data)["List-Unsubscribe"]).strip("<>") not in whole


@ALL
def test_the_provider_knows_a_delivery_by_its_opaque_token_alone(name: str) -> None:
    """A-18: neither an address nor a number of ours."""
    [seen] = sent(name, [mail(4711)])
    assert seen.reference == tokens.make_base32(Scope.BOUNCE, 4711)


@ALL
def test_the_providers_tracking_is_off_where_it_has_a_switch(name: str) -> None:
    """A-19: the others are on the checklist."""
    [seen] = sent(name, [mail(1)])
    assert seen.tracking == ("off" if PROVIDERS[name].switches_tracking else "silent")


@ALL
@pytest.mark.parametrize("address", ["b@bücher.example", "b@xn--bcher-kva.example"])
def test_a_domain_in_another_script_travels_as_a_label(name: str, address: str) -> None:
    """AT-A3, A-3: and its List-Unsubscribe is there."""
    message = mail(1, address="b@xn--bcher-kva.example")._replace(recipient=address)
    [seen] = sent(name, [message])
    assert seen.to == "b@xn--bcher-kva.example"
    assert "list-unsubscribe" in seen.headers


@ALL
def test_placeholders_arrive_literally_or_are_refused(name: str) -> None:
    """AT-A6, A-5: also in the data of a person, which nobody sees before."""
    message = mail(1, name=PLACEHOLDERS)
    if name in TAKES_PLACEHOLDERS:
        assert "{{" in unfit(name, PLACEHOLDERS)
        with recording(Provider(name)) as api, wire(name, api) as transport:
            [outcome] = transport.send([message])
        assert outcome.state == "failed" and "placeholder" in outcome.words and not api.calls
        return
    assert unfit(name, PLACEHOLDERS) == ""
    [seen] = sent(name, [message])
    assert PLACEHOLDERS in seen.text
    assert PLACEHOLDERS in seen.html
    assert seen.text == part(message.data, "plain") and seen.html == part(message.data, "html")


@pytest.mark.parametrize("text", ["{{", "a{}}b", "{{{x}}}", "{{{{y}}}}", "}}{{", "{{heed_oo}}"])
def test_braces_of_any_kind_arrive_through_sparkpost(text: str) -> None:
    """A-5: alone, in runs, and where they look like the variables they became."""
    message = mail(1, name=text)
    [seen] = sent("sparkpost", [message])
    assert text in seen.text and seen.html == part(message.data, "html")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("brevo", "{% if x %}"),
        ("mailersend", "{$name}"),
        ("mailgun", "%unsubscribe_url%"),
        ("postmark", "{{{ pm:unsubscribe }}}"),
    ],
)
def test_what_a_provider_would_replace_is_refused_beforehand(name: str, text: str) -> None:
    """A-5: at validation, in words that name the place."""
    assert text[:2] in unfit(name, f"Hello {text} you")
    assert unfit(name, "Hello { you } 100 % ") == ""
    assert unfit("amazon_ses", text) == ""


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_says_of_each_what_a_single_call_says(name: str) -> None:
    """A-1: byte-equal fields per recipient, own metadata, own body."""
    messages = letters(5)
    alone = sent(name, messages, batches=False)
    together = sent(name, messages)
    assert [replace(seen, whole=None) for seen in together] == [
        replace(seen, whole=None) for seen in alone
    ]
    assert json.dumps([seen.whole for seen in together]) == json.dumps(
        [seen.whole for seen in alone]
    )


@ALL
@pytest.mark.parametrize("hidden", ["=0D=0A", "=0A", "=00", "=E2=80=A8", "=C2=85"])
def test_a_line_break_hidden_in_a_field_goes_to_no_api(name: str, hidden: str) -> None:
    """A-12: providers take it straight into the header they build."""
    message = mail(1)
    subject = f"Subject: =?utf-8?q?News{hidden}Bcc:_x=40example.org?=".encode()
    data = message.data.replace(b"Subject: News for you", subject)
    assert data != message.data
    with recording(Provider(name)) as api, wire(name, api) as transport:
        [outcome] = transport.send([message._replace(data=data)])
    assert outcome.state == "failed" and "Subject has a line break" in outcome.words
    assert not api.calls


@ALL
def test_a_field_that_stands_twice_goes_to_no_api(name: str) -> None:
    """M-2: one of the two would be lost without a word."""
    message = mail(1)
    doubled = message._replace(data=b"List-Id: <other.example>\r\n" + message.data)
    with recording(Provider(name)) as api, wire(name, api) as transport:
        [outcome] = transport.send([doubled])
    assert (outcome.state, outcome.words) == ("failed", "List-Id stands there twice")
    assert not api.calls


def test_one_message_that_cannot_go_does_not_stop_the_others() -> None:
    """A-7: each has its own outcome."""
    messages = letters(3)
    messages[1] = messages[1]._replace(recipient="no address")
    provider = Provider("postmark")
    with recording(provider) as api, wire("postmark", api) as transport:
        outcomes = by_delivery(transport.send(messages))
    assert [outcomes[number].state for number in (1, 2, 3)] == ["sent", "failed", "sent"]
    assert sorted(provider.accepted) == ["r1@example.org", "r3@example.org"]


def test_a_transport_is_what_the_engine_takes() -> None:
    """The wire's contract, checked by the type checker too."""
    made: Transport
    with recording(Provider("resend")) as api, wire("resend", api) as made:
        assert isinstance(made, ProviderTransport)
