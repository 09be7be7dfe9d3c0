"""Who is asking, proven by a signed link, without a login: the plain way to make and read one.

A token is 25 bytes: key version 1, scrambled number 8, MAC 16. What it must be stands in
docs/architecture.md, "Links"; registrants.tokens.bulk makes the same ones by the million.
"""

import base64
import hmac
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b

from django.conf import settings

LENGTH = 34
NUMBER_BITS, DETAIL_BITS = 40, 24
MAC_BYTES = 16
MASK = (1 << 64) - 1
URL_LONGEST = 75
"""Characters of a whole link, so that no mail program breaks it."""
LINK_HOST_LONGEST = 28
"""Characters of the host of a link: what is left of it."""


class Scope(StrEnum):
    """The one act a token is for; its letter is part of the MAC and may never change."""

    UNSUBSCRIBE = "u"
    PREFERENCES = "p"
    PIXEL = "i"
    CLICK = "l"
    CONFIRM = "y"
    NOT_ME = "n"
    CHOICES = "d"
    BOUNCE = "b"
    MESSAGE_ID = "m"
    TEST = "t"

    @property
    def path(self) -> str:
        """Return what stands before the token in the path of a URL."""
        return f"/{self}/"

    @property
    def pattern(self) -> str:
        """Return the pattern of its URLs, for Django's re_path."""
        return rf"^{self}/(?P<token>[^/]{{1,100}})/?$"


class LinkKey:
    """One version of the link key: a MAC per scope, and a scrambling of the named number."""

    def __init__(self, version: int, key: bytes) -> None:
        self.version = bytes([version])
        self._key = key
        seed = blake2b(b"scramble", key=key, digest_size=24).digest()
        self.add = int.from_bytes(seed[:8], "big")
        self.times = int.from_bytes(seed[8:16], "big") | 1
        self.again = int.from_bytes(seed[16:], "big") | 1
        self.times_back = pow(self.times, -1, 1 << 64)
        self.again_back = pow(self.again, -1, 1 << 64)
        self._macs: dict[str, blake2b] = {}

    def hasher(self, scope: str) -> blake2b:
        """Return the hash of a scope before anything is put in; to be copied."""
        base = self._macs.get(scope)
        if base is None:
            person = scope.encode().ljust(15, b"\0") + self.version
            base = self._macs[scope] = blake2b(key=self._key, person=person, digest_size=64)
        return base

    def mac(self, scope: str, value: int) -> bytes:
        """Return a value's MAC: one hash of 64 bytes is cut into those of four neighbours."""
        state = self.hasher(scope).copy()
        state.update((value >> 2).to_bytes(8, "big"))
        at = MAC_BYTES * (value & 3)
        return state.digest()[at : at + MAC_BYTES]

    def scramble(self, value: int) -> int:
        """Return a value as no outsider can count it; one to one within 64 bits."""
        value = ((value ^ self.add) * self.times) & MASK
        return ((value ^ (value >> 32)) * self.again) & MASK

    def unscramble(self, value: int) -> int:
        """Return what was scrambled."""
        value = (value * self.again_back) & MASK
        value ^= value >> 32
        return ((value * self.times_back) & MASK) ^ self.add


@lru_cache(maxsize=1)
def _keys(versions: tuple[tuple[int, bytes], ...]) -> tuple[LinkKey, dict[int, LinkKey]]:
    keys = {version: LinkKey(version, key) for version, key in versions}
    return keys[max(keys)], keys


def _current() -> tuple[LinkKey, dict[int, LinkKey]]:
    return _keys(tuple(settings.LINK_KEYS.items()))


def newest_key() -> LinkKey:
    """Return the key that makes tokens now; older versions go on reading."""
    return _current()[0]


def value_of(number: int, detail: int) -> int:
    """Return both numbers as one of 64 bits; raises ValueError where one is too large."""
    if number >> NUMBER_BITS or detail >> DETAIL_BITS:
        raise ValueError("a token names a number below 2**40 and a detail below 2**24")
    return number << DETAIL_BITS | detail


def make_bytes(scope: Scope, number: int, detail: int = 0) -> bytes:
    """Return the 25 bytes of a token; raises ValueError like `make`."""
    key, value = newest_key(), value_of(number, detail)
    return key.version + key.scramble(value).to_bytes(8, "big") + key.mac(scope, value)


def make(scope: Scope, number: int, detail: int = 0) -> str:
    """Return a 34-character token that names one number (and a detail) for one scope only.

    Raises ValueError where number ≥ 2**40 or detail ≥ 2**24.
    """
    raw = make_bytes(scope, number, detail)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def make_base32(scope: Scope, number: int) -> str:
    """Return a token as 40 lower-case base32 characters, for places that fold case (VERP, B-1)."""
    return base64.b32encode(make_bytes(scope, number)).decode().lower()


def read(scope: Scope, token: str) -> tuple[int, int] | None:
    """Return (number, detail) of a token made for this scope, None for anything else (S-1)."""
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "==", altchars=b"-_", validate=True)
    except ValueError:
        return None
    if base64.urlsafe_b64encode(raw)[:LENGTH].decode() != token:
        return None
    return read_bytes(scope, raw)


def read_bytes(scope: Scope, raw: bytes) -> tuple[int, int] | None:
    """Return (number, detail) of 25 token bytes, None where version, length or MAC is wrong."""
    key = _current()[1].get(raw[0]) if len(raw) == 25 else None
    if key is None:
        return None
    value = key.unscramble(int.from_bytes(raw[1:9], "big"))
    if not hmac.compare_digest(raw[9:], key.mac(scope, value)):
        return None
    return value >> DETAIL_BITS, value & ((1 << DETAIL_BITS) - 1)


def read_base32(scope: Scope, token: str) -> tuple[int, int] | None:
    """Return (number, detail) of a base32 token whatever its case, None for anything else."""
    try:
        return read_bytes(scope, base64.b32decode(token.upper()))
    except ValueError:
        return None
