"""A test is the mail itself: only To, [Test], its tokens and its links differ."""

import base64
import email
import email.policy
import quopri
import re
from email.message import EmailMessage
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from accountability.models import AuditEntry
from accountability.roles import Role
from newsletter.mailings import freezing, lifecycle
from newsletter.models import Mailing, Sender
from newsletter.rendering.renderer import Renderer
from newsletter.review import previewing, sending_tests
from registrants import tokens
from registrants.models import Choice, ConsentEvent, Registrant, Subscription
from registrants.tokens import Scope
from tests.cast import Cast, make_client, make_staff
from tests.scripted_smtp import ScriptedSmtp

pytestmark = pytest.mark.django_db
BODIES = {
    "markdown": "Grüße {{ registrant.name | default: 'there' }} ❤️\n\n[on](https://heron.example.org/a?b=1&c=2),"
    " [own](https://heron.example.org/?n={{ registrant.name }}), [mail](mailto:ada@example.org)",
    "html": '<p>Grüße {{ registrant.name }}, <a href="https://heron.example.org/a?b=1&amp;c=2">on</a>'
    ' <a href="tel:+4312345">call</a> <a href="#top">up</a></p>'
    "{% if registrant.name %}<a href='https://heron.example.org/x'>x</a>{% endif %}",
    "mjml": "<mj-section><mj-column><mj-text>Grüße {{ registrant.name }}"
    ' <a href="https://heron.example.org/a">on</a></mj-text>'
    '<mj-button href="https://heron.example.org/b">Go</mj-button></mj-column></mj-section>',
}
TOKEN = re.compile(r"[\w-]{34}")
LINK = re.compile(r"(?:https?|mailto|tel):[^\s\"'<>)]+")


def as_test(mailing: Mailing) -> bytes:
    """Return a test mail as it would be put on the wire, for the first person of the audience."""
    staff = User(username="mara", email="mara@example.org")
    mail = freezing.mail_of(mailing)
    person = previewing.person(mailing)
    return sending_tests.messages_of(mailing, mail, [staff], person)[0].data


def as_mail(mailing: Mailing) -> bytes:
    """Return the mail the same person gets."""
    mail = freezing.mail_of(mailing)
    renderer = Renderer(mail, mailing=mailing.pk, link_ids=range(1, len(mail.links) + 1))
    return renderer.render(previewing.as_person(mailing, previewing.person(mailing)))


def by_library(data: bytes) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Return header fields and parts (type, transfer encoding, text) as Python's email reads."""
    mail = email.message_from_bytes(data, policy=email.policy.default.clone(raise_on_defect=True))
    assert isinstance(mail, EmailMessage)
    parts = [
        (part.get_content_type(), str(part["Content-Transfer-Encoding"]), part.get_content())
        for part in mail.walk()
        if not part.is_multipart()
    ]
    return {name: str(value) for name, value in mail.items()}, parts


def by_hand(data: bytes) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Return the same by nothing but RFC 5322, 2045, 2046 and 2047 as they are read quickly."""
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(
        line.split(b": ", 1) for line in re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n")
    )
    boundary = re.search(rb'boundary="([^"]+)"', fields[b"Content-Type"])
    assert boundary
    parts = []
    for part in body.split(b"--" + boundary[1])[1:-1]:
        top, _, text = part.strip(b"\r\n").partition(b"\r\n\r\n")
        kind = re.search(rb"Content-Type: ([^;]+)", top)
        coding = re.search(rb"Content-Transfer-Encoding: (\S+)", top)
        assert kind
        assert coding
        parts.append((kind[1].decode(), coding[1].decode(), quopri.decodestring(text).decode()))
    return {name.decode(): _words(value.decode("ascii")) for name, value in fields.items()}, parts


def _words(value: str) -> str:
    value = re.sub(r"(\?=) +(?==\?)", r"\1", value)
    return re.sub(
        r"=\?utf-8\?b\?([^?]*)\?=", lambda word: base64.b64decode(word[1]).decode(), value
    )


def alike(value: str, address: str) -> str:
    """Return a text with what may differ levelled: links, tokens, boundary and the address."""
    value = LINK.sub("LINK", value)
    value = re.sub(r"=_[0-9a-f]{24}", "BOUNDARY", value)
    return TOKEN.sub("TOKEN", value).replace(address, "ADDRESS")


@pytest.mark.parametrize("parse", [by_library, by_hand])
@pytest.mark.parametrize(
    ("kind", "body_format", "may"),
    list(product(["campaign", "notice"], BODIES, ["granted", "denied"])),
)
def test_a_test_is_the_mail_part_by_part(
    cast: Cast, kind: str, body_format: str, may: str, parse: Any
) -> None:
    """Two parsers read both: the same fields in the same order, the same parts, coded alike."""
    Sender.objects.update(from_name="Heron, Müller", reply_to="answers@heron.example.org")
    Registrant.objects.filter(pk=cast.ada.pk).update(opens=may, clicks=may)
    texts = {"subject": "Grüße für {{ registrant.name }}", "preheader": "So viel Neues"}
    make = cast.campaign if kind == "campaign" else cast.notice
    mailing = make(body_format=body_format, body=BODIES[body_format], **texts)
    mailing.sender.refresh_from_db()
    test, mail = parse(as_test(mailing)), parse(as_mail(mailing))
    assert list(test[0]) == list(mail[0])
    assert test[0]["Subject"] == f"[Test] {mail[0]['Subject']}"
    for name, value in mail[0].items():
        if name not in ("Subject", "Date"):
            ours = alike(test[0][name], "mara@example.org")
            assert ours == alike(value, "ada@example.net"), name
    levelled = [[(*one[:2], alike(one[2], "?")) for one in of[1]] for of in (test, mail)]
    assert levelled[0] == levelled[1]
    assert {part[1] for part in test[1]} == {"quoted-printable"}


def test_a_test_is_the_mail_byte_for_byte_where_every_link_is_counted(cast: Cast) -> None:
    """Links of one length: not even a soft line break stands elsewhere."""
    Registrant.objects.filter(pk=cast.ada.pk).update(opens="granted", clicks="granted")
    mailing = cast.campaign(
        body_format="html", body='<p>Hi <a href="https://x.example/">on</a></p>'
    )
    own, levelled = re.compile(rb"=_[0-9a-f]{24}|(?<=/)[a-z]/[\w-]{34}"), []
    for data in (as_test(mailing), as_mail(mailing)):
        html = data.split(b"Content-Type: text/html")[1]
        levelled.append(own.sub(b"", html.replace(b"=\r\n", b"")))
    assert levelled[0] == levelled[1]


@pytest.mark.parametrize("body_format", BODIES)
@pytest.mark.parametrize("kind", ["campaign", "notice"])
def test_every_link_of_a_test_is_one_harmless_page(cast: Cast, kind: str, body_format: str) -> None:
    """In both parts and in the header; only a place within the mail stays."""
    make = cast.campaign if kind == "campaign" else cast.notice
    fields, parts = by_library(as_test(make(body_format=body_format, body=BODIES[body_format])))
    html = parts[1][2]
    addresses = set(re.findall(r"""href=["']([^"']*)""", html)) - {"#top"}
    addresses |= set(re.findall(r"https?://[^\s<>)]+", parts[0][2]))
    addresses |= set(re.findall("<(http[^>]+)>", fields.get("List-Unsubscribe", "")))
    (link,) = addresses
    assert tokens.read(Scope.TEST, link.rpartition("/")[2]) == (cast.client.pk, 0)
    assert len(link) == len(tokens.make(Scope.TEST, 1)) + len(link.rpartition("/")[0]) + 1
    every_token = re.findall(r"/([a-z])/[\w-]{34}", parts[0][2] + html + str(fields))
    assert set(every_token) == {"t"}


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_the_link_of_a_test_acts_on_nothing(cast: Cast, method: str, accept: str) -> None:
    """One-click too: it says that this was a test, and no row anywhere is written."""
    Registrant.objects.filter(pk=cast.ada.pk).update(opens="granted", clicks="granted")
    fields, _ = by_library(as_test(cast.campaign()))
    path = fields["List-Unsubscribe"].strip("<>").partition("//")[2].partition("/")[2]
    before = (ConsentEvent.objects.count(), Subscription.objects.filter(state="confirmed").count())
    ask = getattr(Browser(enforce_csrf_checks=True), method)
    answer = ask(f"/{path}", {"List-Unsubscribe": "One-Click"}, headers={"accept": accept})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert method == "head" or "This was a test" in answer.content.decode()
    after = (ConsentEvent.objects.count(), Subscription.objects.filter(state="confirmed").count())
    assert before == after


def test_the_page_is_in_the_clients_language_and_forged_tokens_are_unknown(cast: Cast) -> None:
    """A token of another scope is none of this one, nor the other way round."""
    type(cast.client).objects.update(locale="ar-XB")
    page = Browser().get(f"/t/{tokens.make(Scope.TEST, cast.client.pk)}")
    assert 'dir="rtl"' in page.content.decode()
    for scope, path in ((Scope.UNSUBSCRIBE, "t"), (Scope.TEST, "u"), (Scope.TEST, "p")):
        assert Browser().get(f"/{path}/{tokens.make(scope, cast.client.pk)}").status_code == 404
    assert Browser().get(f"/t/{tokens.make(Scope.TEST, 999_999)}").status_code == 404


def test_the_word_before_the_subject_is_in_the_language_of_the_mail(cast: Cast) -> None:
    """And it is encoded with the rest."""
    cast.client.locale = "ar-XB"
    cast.client.save()
    fields, _ = by_hand(as_test(cast.campaign(subject="مرحبا")))
    assert fields["Subject"] not in ("[Test] مرحبا", "مرحبا")
    assert fields["Subject"].endswith(" مرحبا")


def test_a_frozen_mailing_is_tested_as_it_is_frozen(cast: Cast) -> None:
    """Scheduled, or paused before it was staged."""
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=1)
    lifecycle.pause(mailing=campaign, staff=1)
    Sender.objects.update(from_name="Renamed")
    Mailing.objects.update(body="edited behind its back")
    fields, parts = by_library(as_test(Mailing.objects.get()))
    assert fields["From"].startswith("Heron Books")
    assert "edited" not in parts[0][2]


# -- to whom ---------------------------------------------------------------------------------


def staff_of(cast: Cast) -> dict[str, User]:
    """Make staff of every kind; return them by name."""
    other = make_client("Other", "other")
    people = {
        name: make_staff(name, client=cast.client) for name in ("mara", "nils", "gone", "mute")
    }
    people["adam"] = make_staff("adam", client=cast.client, role=Role.ADMINISTRATOR)
    people["otto"] = make_staff("otto", client=other)
    people["owner"] = User.objects.create_superuser("owner", "owner@example.org", "x")
    people["reader"] = User.objects.create_user("reader", "reader@example.org", "x")
    User.objects.filter(username="gone").update(is_active=False)
    User.objects.filter(username="mute").update(email="")
    return people


def test_a_test_may_go_to_active_staff_of_the_client_with_an_address(cast: Cast) -> None:
    """Administrators and the owner among them; nobody of another client."""
    staff_of(cast)
    names = [staff.username for staff in sending_tests.colleagues(cast.campaign())]
    assert names == ["adam", "mara", "nils", "owner"]


@pytest.mark.parametrize(
    "hostile", ["otto", "gone", "mute", "reader", "²", "-1", "0", "1e3", "9" * 40, "mara@x.org", ""]
)
def test_whoever_is_not_on_the_list_gets_nothing_and_nobody_else_does(
    cast: Cast, smtp: ScriptedSmtp, hostile: str
) -> None:
    """Hostile ids are refused whole: not even the right one beside them is written to."""
    people = staff_of(cast)
    browser = Browser()
    browser.force_login(people["mara"])
    pk = str(people[hostile].pk) if hostile in people else hostile
    to = [str(people["nils"].pk), pk]
    address = f"/admin/newsletter/campaign/{cast.campaign().pk}/test/"
    answer = browser.post(address, {"to": to}, follow=True)
    assert "Choose among the people of the list" in answer.content.decode()
    assert smtp.accepted == 0
    assert not AuditEntry.objects.filter(act="test").exists()


def test_a_test_goes_to_those_chosen_and_is_in_the_audit_trail(
    cast: Cast, smtp: ScriptedSmtp
) -> None:
    """By their numbers, without an address; each gets a mail of their own."""
    people = staff_of(cast)
    browser = Browser()
    browser.force_login(people["mara"])
    to = [people["nils"].pk, people["adam"].pk, people["nils"].pk]
    address = f"/admin/newsletter/campaign/{cast.campaign().pk}/"
    assert 'name="to" multiple' in browser.get(f"{address}change/").content.decode()
    browser.post(f"{address}test/", {"to": to})
    addresses = sorted(people[name].email for name in ("nils", "adam"))
    assert sorted(smtp.delivered) == addresses
    for mail_address, (data,) in smtp.messages.items():
        assert by_library(data)[0]["To"] == mail_address
    entry = AuditEntry.objects.get(act="test")
    assert (entry.staff, entry.client) == (people["mara"].pk, cast.client.pk)
    assert sorted(entry.detail["to"]) == sorted({people["nils"].pk, people["adam"].pk})


def test_at_most_five_people_get_one_test(cast: Cast, smtp: ScriptedSmtp) -> None:
    """A sixth refuses the whole."""
    people = [make_staff(f"staff{number}", client=cast.client) for number in range(6)]
    browser = Browser()
    browser.force_login(people[0])
    address = f"/admin/newsletter/campaign/{cast.campaign().pk}/test/"
    answer = browser.post(address, {"to": [staff.pk for staff in people]}, follow=True)
    assert "at most 5" in answer.content.decode()
    assert smtp.accepted == 0
    browser.post(address, {"to": [staff.pk for staff in people[:5]]})
    assert smtp.accepted == 5


def test_measuring_is_as_for_the_person(cast: Cast) -> None:
    """Never for a notice, nor for somebody whose processing is restricted."""
    Registrant.objects.update(opens=Choice.GRANTED, clicks=Choice.DENIED)
    ada = Registrant.objects.get(pk=cast.ada.pk)
    person = previewing.as_person(cast.campaign(), ada)
    assert (person.opens, person.clicks) == (True, False)
    assert previewing.as_person(cast.notice(), ada).opens is False
