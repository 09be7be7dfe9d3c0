"""Where the mail server is, how to trust it, and how long to wait for it."""

import ipaddress
import re
from dataclasses import dataclass, field, fields
from typing import Final, Literal, Self, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.transports.reach import REFUSED, Guard
from registrants.host_names import ascii_host

Security = Literal["none", "starttls", "tls"]
Login = Literal["auto", "plain", "login", "cram-md5", "xoauth2"]

_PORTS: Final[dict[str, int]] = {"none": 25, "starttls": 587, "tls": 465}
_HELO: Final = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_LOGINS: Final = ("auto", "plain", "login", "cram-md5", "xoauth2")
SECRET_LONGEST: Final = 2000
"""Characters in a user's name or a password."""


class SettingsError(ValueError):
    """A setting that cannot work; ``setting`` names it, the words never repeat a secret."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(reason)
        self.setting = setting


def server_host(text: str) -> str:
    """Return a mail server's name or address as it is connected to; raises SettingsError."""
    host = text.strip()
    if "://" in host or set(host) & set("/@?#\\ \t\r\n"):
        raise SettingsError("host", "write the host alone, such as mail.example.org")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        if bare is not host or ":" in bare:
            reason = "write the host alone, such as mail.example.org; the port has its own field"
            raise SettingsError("host", reason) from None
    try:
        return _host_name(host.removesuffix("."))
    except ValueError as fault:
        raise SettingsError("host", f"the mail server {fault}") from None


def _host_name(name: str) -> str:
    """Return a host's name; within one network it may have underscores, but is never a number."""
    host = name.lower() if name.isascii() else ascii_host(name)
    ascii_host(host.replace("_", "-"))
    last = host.rpartition(".")[2]
    if last.isdecimal() or last.startswith("0x"):
        raise ValueError("is no address; write it as four numbers, such as 192.0.2.1")
    return host


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """The longest wait for each phase, in seconds."""

    connect: float = 10.0
    command: float = 60.0
    end_of_data: float = 300.0


@dataclass(frozen=True, kw_only=True)
class SmtpSettings:
    """One mail server and one sign-in to it.

    Raises SettingsError for what cannot work or would send a password in clear over a network.
    """

    host: str
    port: int = 0
    security: Security = "none"
    username: str = ""
    password: str = field(default="", repr=False)
    login: Login = "auto"
    """How to sign in; with xoauth2 the password is the access token."""
    connections: int = 4
    helo: str = ""
    """The name we greet with; empty: this host's, or its address."""
    ca_file: str = ""
    """Trust this authority instead of the system's."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    guard: Guard | None = None
    """Where the host may lead, for one that staff typed; none: anywhere, the owner wrote it."""

    def __post_init__(self) -> None:
        if not self.host:
            raise SettingsError("host", "a mail server needs a host")
        if self.security not in _PORTS:
            raise SettingsError("security", "security is none, starttls or tls")
        object.__setattr__(self, "host", server_host(self.host))
        if self.guard is not None and self.guard.refuses_literal(self.host):
            raise SettingsError("host", f"the mail server cannot be used: {REFUSED}")
        if self.login not in _LOGINS:
            raise SettingsError("login", f"login is one of {', '.join(_LOGINS)}")
        if not self.port:
            object.__setattr__(self, "port", _PORTS[self.security])
        if not 0 < self.port < 65536:
            raise SettingsError("port", "the port is out of range")
        if not 1 <= self.connections <= 100:
            raise SettingsError("connections", "the number of connections is out of range")
        if self.helo and not _HELO.fullmatch(self.helo):
            raise SettingsError("helo", "the name to greet with is not a host name")
        self._check_sign_in()

    def _check_sign_in(self) -> None:
        for setting in ("username", "password"):
            value = getattr(self, setting)
            if not value.isprintable() or len(value) > SECRET_LONGEST:
                raise SettingsError(setting, f"a control character in the {setting}, or too long")
        if self.username and self.security == "none" and not _is_loopback(self.host):
            raise SettingsError(
                "security", "a sign-in needs security=starttls or tls: it would go in clear"
            )

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read ``smtp://user:pass@host:port/?security=starttls&connections=4``.

        Without ``security`` the port decides: 587 is starttls, 465 is tls, any other none. Further
        words: login, helo, ca_file, and the time-outs connect, command and end_of_data in seconds.
        Raises ValueError, which never repeats the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or 0
            options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        except ValueError:
            raise ValueError("a mail server's address looks like smtp://host:port/") from None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("a mail server's address looks like smtp://host:port/")
        by_port = {587: "starttls", 465: "tls"}.get(port, "none")
        security = options.pop("security", "tls" if parts.scheme == "smtps" else by_port)
        try:
            waits = {
                name: float(options.pop(name))
                for name in [timeout.name for timeout in fields(Timeouts)]
                if name in options
            }
            connections = int(options.pop("connections", "4"))
        except ValueError:
            raise ValueError(
                "the number of connections and the time-outs of a mail server are numbers"
            ) from None
        login = options.pop("login", "auto")
        helo, ca_file = options.pop("helo", ""), options.pop("ca_file", "")
        if options:
            raise ValueError(
                "after ? a mail server's address knows security, connections, login, helo, ca_file,"
                " connect, command and end_of_data"
            )
        return cls(
            host=parts.hostname,
            port=port,
            security=cast(Security, security),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            login=cast(Login, login),
            connections=connections,
            helo=helo,
            ca_file=ca_file,
            timeouts=Timeouts(**waits),
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
