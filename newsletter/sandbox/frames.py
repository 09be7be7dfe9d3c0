"""How the two sides of a sandbox's pipes speak: four bytes of length, then JSON."""

import json
from typing import Any, Final

HEAD: Final = 4
LONGEST: Final = 8_000_000
"""Bytes of one frame; what is longer is never read."""

Message = dict[str, Any]


class TooLong(ValueError):
    """A message that does not fit in one frame."""


def packed(message: Message) -> bytes:
    """Return a message as one frame; lone surrogates are escaped and survive. Raises TooLong."""
    data = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(data) > LONGEST:
        raise TooLong(f"{len(data)} bytes")
    return len(data).to_bytes(HEAD, "big") + data


def length(head: bytes) -> int:
    """Return how many bytes follow a frame's head; raises TooLong."""
    size = int.from_bytes(head[:HEAD], "big")
    if size > LONGEST:
        raise TooLong(f"{size} bytes")
    return size


def unpacked(data: bytes) -> Message:
    """Return the message in a frame, its head cut off."""
    message: Message = json.loads(data)
    return message
