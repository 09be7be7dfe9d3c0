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
MAC_BYTES = 16
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
    """Return a maker of 25-byte tokens: version 1, scrambled number 8, MAC 16.

    What a token must be stands in docs/architecture.md, "Links". The maker keeps the newest
    key of this moment; it raises ValueError where number ≥ 2**40 or detail ≥ 2**24.
    """
    key = _current()[0]
    version, scramble, mac = key.version, key.scramble, key.mac

    def make_one(number: int, detail: int) -> bytes:
        if number >> NUMBER_BITS or detail >> DETAIL_BITS:
            raise ValueError("a token names a number below 2**40 and a detail below 2**24")
        value = number << DETAIL_BITS | detail
        return version + scramble(value).to_bytes(8, "big") + mac(scope, value)

    return make_one


def many_maker(named: Sequence[tuple[str, int]]) -> Callable[[int], list[bytes]]:
    """Return a maker of one token per (scope, detail), all for one number, made in one go.

    The tokens are those `make` makes, as ASCII. Raises ValueError like `byte_maker`.
    """
    key = _current()[0]
    count = len(named)
    if any(detail >> DETAIL_BITS for _, detail in named):
        raise ValueError("a token's detail is below 2**24")
    fours = sorted({(scope, detail >> 2) for scope, detail in named})
    hashers = [(key.hasher(scope).copy, four) for scope, four in fours]
    spots = [fours.index((scope, detail >> 2)) * 64 for scope, detail in named]
    spots = [
        spot + MAC_BYTES * (detail & 3) for spot, (_, detail) in zip(spots, named, strict=True)
    ]
    cuts = [
        (at, at + 9, spot, spot + MAC_BYTES)
        for at, spot in zip(range(9, 18 * count, 18), spots, strict=True)
    ]
    heads = _scrambler(key, [detail for _, detail in named])
    places = range(0, 36 * count, 36)

    def make_all(number: int) -> list[bytes]:
        if number >> NUMBER_BITS:
            raise ValueError("a token names a number below 2**40")
        head = heads(number)
        base = number << DETAIL_BITS - 2
        digests = []
        for hasher, four in hashers:
            state = hasher()
            state.update((base | four).to_bytes(8, "big"))
            digests.append(state.digest())
        macs = b"".join(digests)
        # two zero bytes fill each up to whole groups of base64, and are cut off again
        raw = b"\0\0".join([head[a:b] + macs[c:d] for a, b, c, d in cuts]) + b"\0\0"
        text = b2a_base64(raw, newline=False).translate(_URL_SAFE)
        return [text[at : at + LENGTH] for at in places]

    return make_all


def _scrambler(key: _Key, details: Sequence[int]) -> Callable[[int], bytes]:
    """Return what scrambles one number with each detail at once: 18 bytes each, the last 9 count.

    `_Key.scramble` on one large integer with a lane of 144 bits for each, so that a product of two
    64-bit values stays in its lane.
    """
    count, lane = len(details), 144
    ones = sum(1 << lane * index for index in range(count))
    low, half = MASK * ones, (MASK >> 32) * ones
    version = ones * key.version[0] << 64
    start = ones * key.add
    for index, detail in enumerate(reversed(details)):
        start ^= detail << lane * index
    times, again, size = key.times, key.again, lane // 8 * count

    def heads(number: int) -> bytes:
        value = (((number << DETAIL_BITS) * ones ^ start) * times) & low
        value = ((value ^ (value >> 32 & half)) * again) & low
        return (value | version).to_bytes(size, "big")

    return heads


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
    if key is None:
        return None
    value = key.unscramble(int.from_bytes(raw[1:9], "big"))
    if not hmac.compare_digest(raw[9:], key.mac(scope, value)):
        return None
    return value >> DETAIL_BITS, value & ((1 << DETAIL_BITS) - 1)


def base32_maker(scope: str) -> Callable[[int], str]:
    """Return a maker of base32 tokens for one scope, for places that make many."""
    make_one = byte_maker(scope)
    return lambda number: _base32(make_one(number, 0))


def _base32(raw: bytes) -> str:
    """Return 25 bytes as lower-case base32, three times as quick as the standard library's.

    Five bits of each byte of a large integer are one letter: in six steps each run of bits is
    parted in the middle and its upper half moved up, until every run is five bits long.
    """
    value = int.from_bytes(raw, "big")
    for lower, upper, shift in _SPREAD:
        value = value & lower | (value & upper) << shift
    return value.to_bytes(40, "big").translate(_LETTERS).decode()


def _spreading() -> list[tuple[int, int, int]]:
    """Return the steps of `_base32`: which bits stay, which move, and how far."""
    steps = []
    for half in (32, 16, 8, 4, 2, 1):
        runs = sum(1 << 8 * at for at in range(0, 64, 2 * half))
        bits = (1 << 5 * half) - 1
        steps.append((runs * bits, runs * bits << 5 * half, 3 * half))
    return steps


_SPREAD = _spreading()
_LETTERS = bytes.maketrans(bytes(range(32)), b"abcdefghijklmnopqrstuvwxyz234567")


def make_base32(scope: str, number: int) -> str:
    """Return a token as 40 lower-case base32 characters, for places that fold case (VERP, B-1)."""
    return base32_maker(scope)(number)


def read_base32(scope: str, token: str) -> tuple[int, int] | None:
    """Return (number, detail) of a base32 token whatever its case, None for anything else."""
    try:
        return read_bytes(scope, base64.b32decode(token.upper()))
    except ValueError:
        return None
