"""Addresses of servers as settings give them: what is wrong is said without the address itself."""

import ipaddress
import re
import ssl
from typing import TypedDict
from urllib.parse import SplitResult, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from newsletter.transports import SmtpSettings
from newsletter.transports.reach import Guard
from registrants.tokens import LINK_HOST_LONGEST

ESCAPES = "in a name or password % is written %25, # %23, / %2F, ? %3F, @ %40, : %3A"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def host(text: str) -> str:
    """Return the name of a host in lower case; raises ValueError where it is none."""
    name = text.strip().lower()
    if not name.isascii():
        raise ValueError("an international domain is written in its A-label form, xn--…")
    if ":" in name or "[" in name:
        raise ValueError("a host is a name, without a port, and no IPv6 address")
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise ValueError("a host is a name such as news.example.org, alone")
    if name.rpartition(".")[2].isdigit():
        try:
            ipaddress.IPv4Address(name)
        except ValueError:
            raise ValueError("a host is a name or an IPv4 address") from None
    return name


def _split(url: str, *, example: str) -> SplitResult:
    """Take an address apart; raises ValueError where its parts are not the ones that were meant."""
    schemes = re.findall(r"(\w+)://", example)
    fault = ValueError(f"an address such as {example}; {ESCAPES}")
    if re.search(r"[\s\x00-\x1f\x7f]", url) or "#" in url:
        raise fault
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise fault from None
    rest = f"{parts.path}{parts.query}"
    if parts.scheme not in schemes or not parts.hostname or "@" in rest or port == 0:
        raise fault
    return parts


def public(url: str, *, schemes: tuple[str, ...]) -> str:
    """Return what every public link begins with; raises ValueError where no link can."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise ValueError("an address such as https://news.example.org; no IPv6 address") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(
            "must start with https:// (RFC 8058 §3.1: mail programs ignore one-click links that"
            " do not); plain http is for the embedded demo only"
        )
    if "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("a host alone: no user, no path, nothing after ? or #")
    if parts.netloc.startswith("[") or port == 0:
        raise ValueError("a host is a name, and no IPv6 address; a port is 1 to 65535")
    netloc = host(parts.hostname) + (f":{port}" if port else "")
    if len(netloc) > LINK_HOST_LONGEST:
        raise ValueError(
            f"a host of at most {LINK_HOST_LONGEST} characters, so that every link stays within 75"
        )
    return f"{parts.scheme}://{netloc}"


def mail(url: str) -> SmtpSettings:
    """Return how to reach a mail server; raises ValueError where none can be read from it."""
    parts = _split(url, example="smtp://user:password@host:587/?security=starttls or smtps://host/")
    if parts.path not in ("", "/"):
        raise ValueError(f"nothing stands between the mail server and its ?; {ESCAPES}")
    return SmtpSettings.from_url(url)


def redis(url: str) -> str:
    """Return the address of a Redis; raises ValueError where none can be read from it."""
    parts = _split(url, example="redis://:password@host:6379/0 or rediss://host:6379/0")
    if parts.query or not re.fullmatch(r"/?|/\d{1,4}", parts.path):
        raise ValueError(
            "after the host only the number of the database, as in redis://host:6379/0; an"
            " authority of your own for rediss:// stands in HEED_REDIS_CA"
        )
    return url


class RedisTls(TypedDict, total=False):
    """What a client of Redis is told about certificates, in its library's words."""

    ssl_cert_reqs: str
    ssl_check_hostname: bool
    ssl_ca_certs: str


def redis_tls(url: str, ca_file: str) -> RedisTls:
    """Return how `rediss://` is trusted, alike for all clients; empty for plain `redis://`.

    Certificate and host name are verified, against that authority or the system's.
    """
    if not url.startswith("rediss:"):
        return {}
    verified = RedisTls(ssl_cert_reqs="required", ssl_check_hostname=True)
    if ca_file:
        verified["ssl_ca_certs"] = ca_file
    return verified


def authority(path: str) -> str:
    """Return the file of a certificate authority; raises ValueError where it cannot be read."""
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):
        raise ValueError("a file with certificates in PEM form that can be read here") from None
    return path


def database(url: str) -> dict[str, str]:
    """Return the parameters of a PostgreSQL address as libpq reads them.

    Raises ValueError where it reads none, or others than were meant.
    """
    fault = ValueError(
        "an address such as postgresql://user:password@host:5432/heed, or libpq's host=…;"
        f" {ESCAPES}"
    )
    try:
        parameters = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except (ProgrammingError, UnicodeError):
        raise fault from None
    ports = [port for port in parameters.get("port", "").split(",") if port]
    if any(not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536 for port in ports):
        raise fault
    if not parameters or re.search(r"[@/?]", parameters.get("dbname", "")):
        raise fault
    if re.search(r"[@?#]", parameters.get("host", "")):
        raise fault
    return parameters


def private_hosts(text: str) -> None:
    """Raise ValueError where what is allowed to staff is no list of hosts and networks."""
    try:
        Guard.from_text(text)
    except ValueError:
        raise ValueError("hosts and networks such as mail.internal,10.1.0.0/16") from None
