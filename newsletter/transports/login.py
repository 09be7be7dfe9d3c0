"""Signing in to a mail server: PLAIN, LOGIN and XOAUTH2, as conversations without a socket."""

from base64 import b64encode
from collections.abc import Generator

from newsletter.transports.base import Unavailable
from newsletter.transports.replies import Reply
from newsletter.transports.settings import SmtpSettings

Conversation = Generator[bytes, Reply, Reply]


def sign_in(settings: SmtpSettings, offered: frozenset[str]) -> Generator[bytes, Reply, None]:
    """Sign in by the agreed way, or the best one offered.

    Raises Unavailable; a refusal (5xx) or no way in common is a matter of configuration.
    """
    way = settings.login
    if way == "auto":
        way = "plain" if "PLAIN" in offered or "LOGIN" not in offered else "login"
    if way.upper() not in offered:
        raise Unavailable(f"the server does not offer AUTH {way.upper()}", configuration=True)
    conversation = {"plain": _plain, "login": _login, "xoauth2": _xoauth2}[way]
    reply = yield from conversation(settings.username, settings.password)
    if reply.code != 235:
        raise Unavailable(
            f"sign-in refused: {reply.code} {reply.words}",
            configuration=reply.code >= 500,
            code=reply.code,
        )


def _plain(username: str, password: str) -> Conversation:
    """RFC 4616."""
    return (yield b"AUTH PLAIN " + _encoded(f"\0{username}\0{password}") + b"\r\n")


def _login(username: str, password: str) -> Conversation:
    """Never a standard; draft-murchison-sasl-login."""
    reply = yield b"AUTH LOGIN\r\n"
    for answer in (username, password):
        if reply.code != 334:
            return reply
        reply = yield _encoded(answer) + b"\r\n"
    return reply


def _xoauth2(username: str, token: str) -> Conversation:
    """Google's and Microsoft's; a refusal comes as a challenge that wants an empty answer."""
    response = _encoded(f"user={username}\1auth=Bearer {token}\1\1")
    reply = yield b"AUTH XOAUTH2 " + response + b"\r\n"
    return (yield b"\r\n") if reply.code == 334 else reply


def _encoded(text: str) -> bytes:
    return b64encode(text.encode())
