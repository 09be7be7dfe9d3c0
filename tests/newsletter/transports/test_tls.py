"""TLS and signing in, and what it is called when they fail.

Mirrors several: newsletter/transports/opening.py, newsletter/transports/login.py.
"""

import ssl

import pytest

from newsletter.transports import SmtpSettings, SmtpTransport, Unavailable
from tests.newsletter.transports.conftest import Authority
from tests.newsletter.transports.wire_cases import QUICK, message, send, send_until, transport
from tests.scripted_smtp import Answer, Close, Moment, ScriptedSmtp

BOTH = pytest.mark.parametrize("security", ["starttls", "tls"])


@BOTH
def test_mail_goes_over_verified_tls(
    authority: Authority, server_context: ssl.SSLContext, security: str
) -> None:
    with ScriptedSmtp(server_context=server_context, tls_at_once=security == "tls") as server:
        outcomes = send(server, 200, security=security, ca_file=str(authority.file))
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}


@BOTH
def test_large_bodies_go_over_tls(
    authority: Authority, server_context: ssl.SSLContext, security: str
) -> None:
    data = (b"." + b"x" * 75 + b"\r\n") * 60_000
    with (
        ScriptedSmtp(server_context=server_context, tls_at_once=security == "tls") as server,
        transport(server, security=security, ca_file=str(authority.file)) as wire,
    ):
        outcomes = list(wire.send(message(number, data) for number in range(6)))
    assert {outcome.state for outcome in outcomes} == {"sent"}
    assert all(got == [data] for got in server.messages.values())


@BOTH
@pytest.mark.parametrize("fault", ["unknown authority", "another host"])
def test_a_certificate_that_proves_nothing_is_a_matter_of_configuration(
    authority: Authority,
    server_context: ssl.SSLContext,
    strange_context: ssl.SSLContext,
    security: str,
    fault: str,
) -> None:
    context = server_context if fault == "unknown authority" else strange_context
    ca_file = "" if fault == "unknown authority" else str(authority.file)
    with (
        ScriptedSmtp(server_context=context, tls_at_once=security == "tls") as server,
        transport(server, security=security, ca_file=ca_file) as wire,
        pytest.raises(Unavailable, match="certificate") as trouble,
    ):
        wire.send([message(0)])
    assert trouble.value.configuration
    assert not server.delivered


def test_starttls_that_is_not_offered_is_not_done_without() -> None:
    with (
        ScriptedSmtp() as server,
        transport(server, security="starttls") as wire,
        pytest.raises(Unavailable, match="STARTTLS") as trouble,
    ):
        wire.send([message(0)])
    assert trouble.value.configuration
    assert not any("MAIL" in line for line in server.log)


def test_answers_slipped_in_before_tls_are_refused(
    authority: Authority, server_context: ssl.SSLContext
) -> None:
    """CVE-2011-0411."""

    def slips_in(moment: Moment) -> Answer:
        return b"220 go\r\n250 AUTH PLAIN\r\n" if moment.step == "STARTTLS" else None

    with (
        ScriptedSmtp(slips_in, server_context=server_context) as server,
        transport(server, security="starttls", ca_file=str(authority.file)) as wire,
        pytest.raises(Unavailable),
    ):
        wire.send([message(0)])


def test_dropped_tls_is_a_dropped_connection(
    authority: Authority, server_context: ssl.SSLContext
) -> None:
    def drops(moment: Moment) -> Answer:
        is_end = moment.step == "end" and moment.number == 9
        is_mail = moment.step == "MAIL" and moment.number == 20
        return Close() if is_end or is_mail else None

    with ScriptedSmtp(drops, server_context=server_context) as server:
        outcomes = send(server, 50, security="starttls", ca_file=str(authority.file))
    states = [outcome.state for outcome in outcomes.values()]
    assert set(states) == {"sent", "unknown"}
    assert states.count("unknown") <= 2


def test_tls_that_is_never_agreed_is_unavailable() -> None:
    with (
        ScriptedSmtp() as server,
        transport(server, security="tls") as wire,
        pytest.raises(Unavailable),
    ):
        wire.send([message(0)])


@pytest.mark.parametrize("login", ["auto", "plain", "login", "xoauth2"])
def test_signing_in_opens_the_way(login: str) -> None:
    extensions = ("PIPELINING", "AUTH PLAIN LOGIN XOAUTH2")
    with ScriptedSmtp(extensions=extensions, sign_ins={"ada": "secret ü"}) as server:
        outcomes = send(server, 5, username="ada", password="secret ü", login=login)
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}


@pytest.mark.parametrize("login", ["auto", "plain", "login", "xoauth2"])
def test_a_refused_sign_in_is_a_matter_of_configuration(login: str) -> None:
    extensions = ("PIPELINING", "AUTH PLAIN LOGIN XOAUTH2")
    with (
        ScriptedSmtp(extensions=extensions, sign_ins={"ada": "right"}) as server,
        transport(server, username="ada", password="wrong", login=login) as wire,
        pytest.raises(Unavailable, match="sign-in refused") as trouble,
    ):
        wire.send([message(0)])
    assert trouble.value.configuration
    assert trouble.value.code == 535


def test_a_sign_in_that_fails_for_now_is_no_matter_of_configuration() -> None:
    def busy(moment: Moment) -> Answer:
        return b"454 4.7.0 try later\r\n" if moment.step == "AUTH" else None

    with (
        ScriptedSmtp(busy, ("AUTH PLAIN",), sign_ins={"ada": "x"}) as server,
        transport(server, username="ada", password="x") as wire,
        pytest.raises(Unavailable) as trouble,
    ):
        wire.send([message(0)])
    assert not trouble.value.configuration


def test_a_server_that_wants_a_sign_in_fails_nobody() -> None:
    """530 to MAIL is our configuration, never a recipient's refusal."""

    def wants(moment: Moment) -> Answer:
        return b"530 5.7.0 sign in first\r\n" if moment.step == "MAIL" else None

    with ScriptedSmtp(wants) as server:
        outcomes, trouble = send_until(server, 20)
    assert {outcome.state for outcome in outcomes.values()} == {"unsent"}
    assert trouble.configuration
    assert "sign-in wanted" in trouble.words


def test_settings_are_read_from_a_url() -> None:
    settings = SmtpSettings.from_url(
        "smtp://ada%40x:p%2Fw@mail.example:2525/?security=starttls&connections=7&end_of_data=90"
    )
    assert (settings.host, settings.port, settings.security) == ("mail.example", 2525, "starttls")
    assert (settings.username, settings.password) == ("ada@x", "p/w")
    assert (settings.connections, settings.timeouts.end_of_data) == (7, 90.0)
    assert "p/w" not in repr(settings)
    assert SmtpSettings.from_url("smtps://mail.example").port == 465
    assert SmtpSettings.from_url("smtp://mail.example:587").security == "starttls"


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example",
        "smtp://",
        "smtp://mail.example/?security=maybe",
        "smtp://mail.example/?colour=blue",
        "smtp://mail.example/?connections=0",
        "smtp://mail.example/?helo=a%0D%0Ab",
        "smtp://ada:secret@mail.example:25/?security=none",
    ],
)
def test_settings_that_cannot_work_are_refused(url: str) -> None:
    with pytest.raises(ValueError) as refusal:
        SmtpSettings.from_url(url)
    assert "secret" not in str(refusal.value)


def test_a_missing_authority_is_said_at_once() -> None:
    settings = SmtpSettings(
        host="127.0.0.1", port=1, security="tls", ca_file="/nowhere", timeouts=QUICK
    )
    with pytest.raises(OSError):
        SmtpTransport(settings)
