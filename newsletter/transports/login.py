"""Signing in to a mail server: PLAIN, LOGIN, CRAM-MD5 and XOAUTH2, without a socket."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator
from typing import Final

from newsletter.transports.base import Unavailable
from newsletter.transports.replies import Reply
from newsletter.transports.settings import SmtpSettings

Conversation = Generator[bytes, Reply, Reply]


BULLETS: Final = "••••"
_BY_PREFERENCE: Final = ("plain", "login", "cram-md5")
"""Over TLS what is in clear is the surest; a server that keeps hashes cannot do CRAM-MD5."""
_IS_BROKEN: Final = frozenset({334, 432, 435, 450, 451, 454, 500, 501, 502, 503, 504, 534, 538})
"""Answers that speak of the way of signing in; any other speaks of the user or the password."""


def sign_in(settings: SmtpSettings, offered: frozenset[str]) -> Generator[bytes, Reply, None]:
    """Sign in by the agreed way, or the best one offered; step over one that is broken.

    After an answer that the user or the password is wrong nothing is tried again (RFC 4954 §6).
    Raises Unavailable; a refusal (5xx) or no way in common is a matter of configuration.
    """
    ways = [settings.login] if settings.login != "auto" else list(_BY_PREFERENCE)
    common = [way for way in ways if way.upper() in offered]
    if not common:
        names = " or ".join(way.upper() for way in ways)
        raise Unavailable(f"the server does not offer AUTH {names}", configuration=True)
    refusals: list[Reply] = []
    for way in common:
        reply = yield from _WAYS[way](settings.username, settings.password)
        if reply.code == 235:
            return
        refusals.append(reply)
        if reply.code == 334:
            yield b"*\r\n"
        if reply.code not in _IS_BROKEN:
            break
    raise _refused(refusals, credentials(settings))


def credentials(settings: SmtpSettings) -> list[str]:
    """Return what no server's words may give back: a password, and what is said for it."""
    user, password = settings.username, settings.password
    coded = [_encoded(text).decode() for text in (password, f"\0{user}\0{password}", user)]
    return [secret for secret in (*coded, password) if len(secret) > 2]


def masked(text: str, secrets: list[str]) -> str:
    """Return a text without any of the secrets."""
    for secret in secrets:
        text = text.replace(secret, BULLETS)
    return text


def _refused(refusals: list[Reply], secrets: list[str]) -> Unavailable:
    """Return the last word; one that may pass is not a matter of configuration."""
    worst = refusals[-1]
    if worst.code in _IS_BROKEN:
        worst = next((reply for reply in refusals if 400 <= reply.code < 500), worst)
    return Unavailable(
        masked(f"sign-in refused: {worst.code} {worst.words}", secrets),
        configuration=not 400 <= worst.code < 500,
        code=worst.code,
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


def _cram_md5(username: str, password: str) -> Conversation:
    """RFC 2195: the password itself stays here; a challenge that is none is not answered."""
    reply = yield b"AUTH CRAM-MD5\r\n"
    try:
        challenge = b64decode(reply.text.strip(), validate=True)
    except ValueError:
        return reply
    if reply.code != 334 or not challenge:
        return reply
    digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
    return (yield _encoded(f"{username} {digest}") + b"\r\n")


def _xoauth2(username: str, token: str) -> Conversation:
    """Google's and Microsoft's; a refusal comes as a challenge that wants an empty answer."""
    response = _encoded(f"user={username}\1auth=Bearer {token}\1\1")
    reply = yield b"AUTH XOAUTH2 " + response + b"\r\n"
    return (yield b"\r\n") if reply.code == 334 else reply


def _encoded(text: str) -> bytes:
    return b64encode(text.encode())


_WAYS: Final[dict[str, Callable[[str, str], Conversation]]] = {
    "plain": _plain,
    "login": _login,
    "cram-md5": _cram_md5,
    "xoauth2": _xoauth2,
}
