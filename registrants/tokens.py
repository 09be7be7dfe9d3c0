"""Who is asking, proven by a signed link, without a login."""

import base64
import hmac
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b

from django.conf import settings

LENGTH = 34
NUMBER_BITS, DETAIL_BITS = 40, 24
MASK = (1 << 64) - 1
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class _Key:
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
        """Return the MAC of a scope before anything is put in; to be copied."""
        base = self._macs.get(scope)
        if base is None:
            person = scope.encode().ljust(16, b"\0")
            base = self._macs[scope] = blake2b(key=self._key, person=person, digest_size=16)
        return base

    def mac(self, scope: str, body: bytes) -> bytes:
        state = self.hasher(scope).copy()
        state.update(body)
        return state.digest()

    def scramble(self, value: int) -> int:
        value = ((value ^ self.add) * self.times) & MASK
        return ((value ^ (value >> 32)) * self.again) & MASK

    def unscramble(self, value: int) -> int:
        value = (value * self.again_back) & MASK
        value ^= value >> 32
        return ((value * self.times_back) & MASK) ^ self.add


@lru_cache(maxsize=1)
def _keys(versions: tuple[tuple[int, bytes], ...]) -> tuple[_Key, dict[int, _Key]]:
    keys = {version: _Key(version, key) for version, key in versions}
    return keys[max(keys)], keys


def _current() -> tuple[_Key, dict[int, _Key]]:
    return _keys(tuple(settings.LINK_KEYS.items()))


def byte_maker(scope: str) -> Callable[[int, int], bytes]:
    """Return a maker of 25-byte tokens: version 1, scrambled number 8, MAC 16 (design.md §5).

    The maker keeps the newest key of this moment; it raises ValueError where
    number ≥ 2**40 or detail ≥ 2**24.
    """
    key = _current()[0]
    version, scramble, hasher = key.version, key.scramble, key.hasher(scope).copy

    def make_one(number: int, detail: int) -> bytes:
        if number >> NUMBER_BITS or detail >> DETAIL_BITS:
            raise ValueError("a token names a number below 2**40 and a detail below 2**24")
        body = version + scramble(number << DETAIL_BITS | detail).to_bytes(8, "big")
        state = hasher()
        state.update(body)
        return body + state.digest()

    return make_one


def many_maker(scope: str, details: Sequence[int]) -> Callable[[int], list[bytes]]:
    """Return a maker of one token per detail, all for one number, coded in one go.

    The tokens are those `make` makes, as ASCII. Raises ValueError like `byte_maker`.
    """
    make_one, places = byte_maker(scope), range(0, 36 * len(details), 36)

    def make_all(number: int) -> list[bytes]:
        # two zero bytes fill each up to whole groups of base64, and are cut off again
        raw = b"\0\0".join([make_one(number, detail) for detail in details]) + b"\0\0"
        text = b2a_base64(raw, newline=False).translate(_URL_SAFE)
        return [text[at : at + LENGTH] for at in places]

    return make_all


def maker(scope: str) -> Callable[[int, int], str]:
    """Return a maker of 34-character tokens for one scope, for places that make many."""
    make_one = byte_maker(scope)
    return lambda number, detail: (
        b2a_base64(make_one(number, detail)).translate(_URL_SAFE)[:LENGTH].decode()
    )


def make(scope: str, number: int, detail: int = 0) -> str:
    """Return a 34-character token that names one number (and a detail) for one scope only.

    Raises ValueError where number ≥ 2**40 or detail ≥ 2**24.
    """
    return maker(scope)(number, detail)


def read(scope: str, token: str) -> tuple[int, int] | None:
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


def read_bytes(scope: str, raw: bytes) -> tuple[int, int] | None:
    """Return (number, detail) of 25 token bytes, None where version, length or MAC is wrong."""
    key = _current()[1].get(raw[0]) if len(raw) == 25 else None
    if key is None or not hmac.compare_digest(raw[9:], key.mac(scope, raw[:9])):
        return None
    value = key.unscramble(int.from_bytes(raw[1:9], "big"))
    return value >> DETAIL_BITS, value & ((1 << DETAIL_BITS) - 1)


def base32_maker(scope: str) -> Callable[[int], str]:
    """Return a maker of base32 tokens for one scope, for places that make many."""
    make_one, encode = byte_maker(scope), base64.b32encode
    return lambda number: encode(make_one(number, 0)).decode().lower()


def make_base32(scope: str, number: int) -> str:
    """Return a token as 40 lower-case base32 characters, for places that fold case (VERP, B-1)."""
    return base32_maker(scope)(number)


def read_base32(scope: str, token: str) -> tuple[int, int] | None:
    """Return (number, detail) of a base32 token whatever its case, None for anything else."""
    try:
        return read_bytes(scope, base64.b32decode(token.upper()))
    except ValueError:
        return None
