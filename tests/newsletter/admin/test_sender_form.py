"""What the form of a sender takes, the wire takes; what the wire would refuse, the form says.

Mirrors several: newsletter/admin/sender_form.py, newsletter/content/header_fields.py,
newsletter/senders/routing.py, newsletter/review/sender_faults.py.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32
from email.utils import getaddresses
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from newsletter import links
from newsletter.admin.sender_form import CredentialsForm, SenderForm
from newsletter.content.compiling import compile_mail
from newsletter.mailings.source import source_of
from newsletter.models import Campaign, Sender
from newsletter.rendering.renderer import Renderer
from newsletter.review.checks import blocked
from newsletter.senders import routing
from newsletter.transports import Message, SmtpSettings, SmtpTransport
from registrants.host_names import ascii_host
from registrants.models import ClientDomain
from tests.cast import Cast, make_client
from tests.newsletter.mails import ada

pytestmark = pytest.mark.django_db
ODD = (
    "aZ9 .-_+'\"\\@,;:<>()[]{}=?&%/#*|~\t\r\n\x00\x0b\x1c\x85\u00a0\u2028\u200b\u202eüßİ例א😀\u0301"
)
WORDS = st.text(alphabet=st.sampled_from(ODD) | st.characters(codec="utf-8"), max_size=130)
LOCALS = st.sampled_from(
    ["post", "a.b+c", "a..b", ".a", '"the shop"', "pöst", "a" * 64, "a" * 65, ""]
)
DOMAINS = st.sampled_from(
    ["heron.example.org", "Müller.Example", "localhost", "a_b.example.org", "例え.テスト",
     "-a.example", "a..example", "[192.0.2.1]", "example.org.", "x" * 63 + ".example",
     "x" * 64 + ".example",
     ".".join(["y" * 50] * 4) + ".example", "faß.example", ""]
)  # fmt: skip
ADDRESSES = st.builds("{}@{}".format, LOCALS | WORDS, DOMAINS | WORDS) | WORDS


class Inbox:
    """Keeps what an independent mail server took."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a mail."""
        self.taken.append(envelope)
        return "250 2.0.0 Ok"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Inbox, SmtpTransport]]:
    """Return a real mail server and a wire to it."""
    inbox = Inbox()
    loop = asyncio.new_event_loop()
    controller = Controller(inbox, hostname="127.0.0.1", port=0, loop=loop, ready_timeout=10)
    with suppress(OSError):
        controller.start()
    listening: Any = controller.server
    port = listening.sockets[0].getsockname()[1]
    wire = SmtpTransport(SmtpSettings(host="127.0.0.1", port=port, connections=1))
    yield inbox, wire
    wire.close()
    controller.stop()
    loop.close()


def form_of(cast: Cast, **changes: Any) -> SenderForm:
    """Return the form of a new sender, filled in."""
    own = ("xn--mller-kva.example", "xn--r8jz45g.xn--zckzah", "xn--fa-hia.example", "localhost")
    for name in own:
        ClientDomain.objects.get_or_create(client=cast.client, name=name)
    written = {
        "client": cast.client.pk, "name": "Another", "from_name": "Heron",
        "transport": "installation", "from_address": "post@heron.example.org", "reply_to": "",
        "bounce_domain": "", "host": "", "port": 587, "security": "starttls",
        "username": "", "connections": 4,
        "warm_up_first": 500, "warm_up_growth": 50, "warm_up_until": 1000,
    }  # fmt: skip
    return CredentialsForm(written | changes)


@given(
    name=WORDS, address=ADDRESSES, reply_to=st.just("") | ADDRESSES, bounces=st.just("") | DOMAINS
)
@example(name="Heron", address="post@müller.example", reply_to="", bounces="")
@example(name="Heron\tBooks", address="post@heron.example.org", reply_to="", bounces="")
@example(name="Heron", address='"theshop"@heron.example.org', reply_to="", bounces="")
@example(name="Heron", address="a" * 65 + "@heron.example.org", reply_to="", bounces="")
@example(
    name="Heron", address="post@heron.example.org", reply_to="p@例え.テスト", bounces="例え.テスト"
)
@examples(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_the_form_takes_a_mail_server_takes(
    cast: Cast,
    server: tuple[Inbox, SmtpTransport],
    name: str,
    address: str,
    reply_to: str,
    bounces: str,
) -> None:
    """Compiled, rendered, put in an envelope, sent, and read again by Python's own parser."""
    form = form_of(
        cast, from_name=name, from_address=address, reply_to=reply_to, bounce_domain=bounces
    )
    if not form.is_valid():
        assert not form.non_field_errors()
        return
    sender: Sender = form.save(commit=False)
    assert sender.from_address == address.strip()  # shown as it was typed
    campaign = Campaign(
        kind="campaign",
        client=cast.client,
        sender=sender,
        mailing_list=cast.mailing_list,
        subject="s",
        body="b",
    )
    compiled = compile_mail(source_of(campaign))
    data = Renderer(compiled, mailing=7).render(ada())
    verp = links.verp_maker(compiled.bounce_domain)
    inbox, wire = server
    [outcome] = wire.send([Message(1, verp(1), "ada@example.org", data)])
    assert outcome.state == "sent", outcome
    envelope = inbox.taken[-1]
    assert len(envelope.mail_from or "") <= 254
    mail = message_from_bytes(envelope.content, policy=compat32)
    [(shown, from_address)] = getaddresses([mail["From"]])
    assert str(make_header(decode_header(shown))) == sender.from_name.strip()
    local, _, domain = address.strip().rpartition("@")
    assert from_address.lower() == f"{local}@{ascii_host(domain)}".lower()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "smtp://mail.example.org"}, "host"),
        ({"host": "mail.example.org:587"}, "host"),
        ({"host": "mail example.org"}, "host"),
        ({"host": "２１３０７０６４３３"}, "host"),
        ({"host": "mail.example.org", "username": "ada", "security": "none"}, "security"),
        ({"host": "mail.example.org", "username": "a\tb"}, "username"),
        ({"host": "mail.example.org", "username": "ada", "new_password": "a\tb"}, "new_password"),
    ],
)
def test_a_server_that_cannot_work_is_said_at_its_field(
    cast: Cast, changes: dict[str, Any], field: str
) -> None:
    assert list(form_of(cast, transport="smtp", **changes).errors) == [field]


@pytest.mark.parametrize(
    "host", ["[2606:4700::1111]", "post.müller.example", " mail.example.org. "]
)
def test_a_server_is_taken_as_people_write_it(cast: Cast, host: str) -> None:
    form = form_of(cast, transport="smtp", host=host)
    assert form.is_valid(), form.errors
    assert routing.settings_fault(form.save(commit=False)) is None


def test_a_bounce_domain_is_kept_as_it_stands_in_dns(cast: Cast) -> None:
    form = form_of(cast, bounce_domain="Bounces.Müller.example.")
    assert form.is_valid(), form.errors
    assert form.cleaned_data["bounce_domain"] == "bounces.xn--mller-kva.example"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from_address": "post@otter.example.org"}, "from_address"),
        ({"from_address": "heron@gmail.com"}, "from_address"),
        ({"from_address": "post@example.org"}, "from_address"),
        ({"bounce_domain": "otter.example.org"}, "bounce_domain"),
    ],
)
def test_a_domain_of_somebody_else_is_refused(
    cast: Cast, changes: dict[str, Any], field: str
) -> None:
    """With who can allow it, and without whose it is."""
    make_client("Otter Press", "otter")
    form = form_of(cast, **changes)
    assert list(form.errors) == [field]
    assert "The owner of this installation allows" in form.errors[field][0]
    assert "Otter" not in form.errors[field][0]


def test_a_mailing_from_a_domain_that_was_withdrawn_is_held_back(cast: Cast) -> None:
    campaign = cast.campaign()
    assert not blocked(campaign)
    cast.client.domains.all().delete()
    assert "Sender's settings" in [check.name for check in blocked(campaign)]


def test_a_mailing_whose_server_cannot_be_used_is_held_back(cast: Cast) -> None:
    """Such as one saved before the form refused it."""
    Sender.objects.update(transport="smtp", host="smtp://mail.example.org")
    campaign = cast.campaign(sender=Sender.objects.get())
    assert "Sender's settings" in [check.name for check in blocked(campaign)]


def test_an_api_inside_the_network_is_refused_at_its_field(cast: Cast, settings: Settings) -> None:
    """In production; a name that leads there is refused when it is looked up."""
    settings.ALLOWED_PRIVATE_HOSTS = ""
    form_data = {"transport": "provider", "provider": "postal", "postal__api_key": "key"}
    form = form_of(cast, **form_data, postal__api_url="https://[::ffff:169.254.169.254]/")
    assert list(form.errors) == ["postal__api_url"]
    assert "HEED_ALLOWED_PRIVATE_HOSTS" in form.errors["postal__api_url"][0]
