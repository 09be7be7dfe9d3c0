"""From a fresh connection to one that takes mail: greeting, EHLO, TLS, sign-in; no socket here."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum

from newsletter.transports.base import Unavailable
from newsletter.transports.login import sign_in
from newsletter.transports.replies import Reply
from newsletter.transports.settings import SmtpSettings


class Need(Enum):
    """What the conversation needs besides a command sent."""

    LISTEN = "listen"
    TLS = "tls"


@dataclass(frozen=True)
class Offer:
    """What the server said it can do (EHLO)."""

    pipelining: bool = False
    eightbit: bool = False
    has_size: bool = False
    size: int = 0
    """Largest message in octets, 0 where it names none (RFC 1870)."""
    starttls: bool = False
    logins: frozenset[str] = frozenset()


Opening = Generator[bytes | Need, Reply, Offer]


def opening(settings: SmtpSettings, helo: str) -> Opening:
    """Bring a fresh connection to the point where it takes mail.

    Yields a command to send, or a need; is sent the reply. Raises Unavailable.
    """
    if settings.security == "tls":
        yield Need.TLS
    greeting = yield Need.LISTEN
    _expect(greeting, 220, "greeting refused")
    offer = yield from _ehlo(helo)
    if settings.security == "starttls":
        if not offer.starttls:
            raise Unavailable("the server does not offer STARTTLS", configuration=True)
        _expect((yield b"STARTTLS\r\n"), 220, "STARTTLS refused")
        yield Need.TLS
        offer = yield from _ehlo(helo)
    if settings.username:
        yield from sign_in(settings, offer.logins)
    return offer


def _ehlo(helo: str) -> Opening:
    reply = yield b"EHLO " + helo.encode("ascii") + b"\r\n"
    if 500 <= reply.code < 505:
        _expect((yield b"HELO " + helo.encode("ascii") + b"\r\n"), 250, "HELO refused")
        return Offer()
    _expect(reply, 250, "EHLO refused")
    return read_offer(reply.text)


def read_offer(text: str) -> Offer:
    """Read the lines of an EHLO reply; the first is the server's name."""
    extensions: dict[str, list[str]] = {}
    for line in text.split("\n")[1:]:
        keyword, *rest = line.upper().replace("AUTH=", "AUTH ").split() or [""]
        extensions.setdefault(keyword, []).extend(rest)
    size = next(iter(extensions.get("SIZE", [])), "0")
    return Offer(
        pipelining="PIPELINING" in extensions,
        eightbit="8BITMIME" in extensions,
        has_size="SIZE" in extensions,
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 20 else 0,
        starttls="STARTTLS" in extensions,
        logins=frozenset(extensions.get("AUTH", [])),
    )


def _expect(reply: Reply, code: int, what: str) -> None:
    if reply.code != code:
        raise Unavailable(f"{what}: {reply.code} {reply.words}", code=reply.code)
