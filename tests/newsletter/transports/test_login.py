"""Signing in: by which way, in which words, and what is stepped over."""

import base64
import hmac

import pytest

from newsletter.transports.base import Unavailable
from newsletter.transports.login import sign_in
from newsletter.transports.replies import Reply
from newsletter.transports.settings import SmtpSettings
from tests.newsletter.transports.wire_cases import send
from tests.scripted_smtp import ScriptedSmtp

SETTINGS = SmtpSettings(host="127.0.0.1", username="ada", password="sécret")
WRONG = (535, "5.7.8 Wrong")
WELCOME = (235, "2.7.0 Welcome")


def conversation(
    offered: str, *replies: tuple[int, str], settings: SmtpSettings = SETTINGS
) -> list[str]:
    """Return the commands commands to a server that gives these replies; raises Unavailable."""
    talk = sign_in(settings, frozenset(offered.split()))
    commands = [next(talk).decode().strip()]
    for code, text in replies:
        try:
            commands.append(talk.send(Reply(code, text)).decode().strip())
        except StopIteration:
            return commands
    raise AssertionError(f"it wants to hear more after {commands}")


def test_cram_md5_answers_the_challenge_as_its_rfc_has_it() -> None:
    """RFC 2195 §2, its example: the password never leaves."""
    settings = SmtpSettings(host="127.0.0.1", username="tim", password="tanstaaftanstaaf")
    challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
    commands = conversation("CRAM-MD5", (334, challenge), WELCOME, settings=settings)
    assert commands == ["AUTH CRAM-MD5", "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"]


def test_a_server_that_speaks_cram_md5_alone_takes_mail() -> None:
    """Over the wire, by the server's own reckoning."""
    with ScriptedSmtp(extensions=("AUTH CRAM-MD5",), sign_ins={"ada": "secret ü"}) as server:
        outcomes = send(server, 2, username="ada", password="secret ü")
    assert {outcome.state for outcome in outcomes.values()} == {"sent"}
    assert not any("secret" in line for line in server.log)


@pytest.mark.parametrize(
    "broken",
    [(500, "What?"), (501, "5.5.2"), (502, "no"), (503, "5.5.1 order"), (504, "5.5.4 unknown"),
     (534, "5.7.9 too weak"), (538, "5.7.11 encrypt"), (454, "4.7.0 for now"), (435, "at present")],
)  # fmt: skip
def test_a_way_that_is_offered_and_broken_is_stepped_over(broken: tuple[int, str]) -> None:
    commands = conversation(
        "PLAIN LOGIN CRAM-MD5", broken, (334, "VXNlcm5hbWU6"), (334, "UA=="), WELCOME
    )
    assert commands[1] == "AUTH LOGIN"


@pytest.mark.parametrize("wrong", [WRONG, (550, "no"), (554, "5.7.8"), (421, "bye")])
def test_what_the_server_called_wrong_is_not_told_it_again(wrong: tuple[int, str]) -> None:
    with pytest.raises(Unavailable, match=f"sign-in refused: {wrong[0]}"):
        conversation("PLAIN LOGIN CRAM-MD5", wrong)


def test_wrong_after_a_step_is_still_wrong() -> None:
    """And a matter of configuration, though the first answer might have passed."""
    with pytest.raises(Unavailable) as trouble:
        conversation("PLAIN CRAM-MD5", (454, "later"), (334, "PDE+"), WRONG)
    assert trouble.value.configuration
    assert trouble.value.code == 535


def test_where_all_are_broken_it_may_pass_if_one_may() -> None:
    with pytest.raises(Unavailable) as trouble:
        conversation("PLAIN LOGIN", (454, "later"), (504, "unknown"))
    assert not trouble.value.configuration


@pytest.mark.parametrize("challenge", ["", "no base64!", "PDE"])
def test_a_challenge_that_is_none_is_broken_off(challenge: str) -> None:
    """RFC 4954 §4: with an asterisk, and nothing of the password."""
    talk = sign_in(SETTINGS, frozenset({"CRAM-MD5"}))
    next(talk)
    assert talk.send(Reply(334, challenge)) == b"*\r\n"
    with pytest.raises(Unavailable):
        talk.send(Reply(501, "5.7.0 broken off"))


def test_plain_that_is_asked_again_is_broken_off_and_stepped_over() -> None:
    """A server that asks again in the middle does not get the password twice."""
    commands = conversation("PLAIN CRAM-MD5", (334, ""), (501, "5.7.0"), (334, "PDE+"), WELCOME)
    digest = hmac.new("sécret".encode(), b"<1>", "md5").hexdigest()
    assert commands[1:3] == ["*", "AUTH CRAM-MD5"]
    assert base64.b64decode(commands[3]).decode() == f"ada {digest}"


def test_a_way_that_was_agreed_is_the_only_one() -> None:
    settings = SmtpSettings(host="127.0.0.1", username="ada", password="x", login="plain")
    with pytest.raises(Unavailable, match="504"):
        conversation("PLAIN LOGIN", (504, "unknown"), settings=settings)
