"""What a pixel tells: one mail was shown, if its reader allowed that to be measured."""

import time

from registrants import tokens
from tracking.stream import Hit, writer

PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""A transparent GIF of 43 bytes (O-6)."""


def opened(token: str) -> None:
    """Note an open; a token that names nothing is passed over in silence."""
    named = tokens.read("i", token)
    if named is not None:
        writer.note(Hit("opened", named[0], 0, int(time.time() * 1000)))
