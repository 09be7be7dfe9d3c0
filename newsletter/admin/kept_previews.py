"""What one compile made of what somebody types, kept a while for the frame that shows it."""

import json
import logging
import secrets
import zlib
from dataclasses import asdict
from typing import Any, Final

import redis

from newsletter.content.errors import SourceError
from newsletter.review.previewing import Preview
from redis_store.connection import server

log = logging.getLogger(__name__)
PREVIEW_SECONDS: Final = 15 * 60
MOST: Final = 4
"""How many one person has kept, a page open in each of so many windows; the oldest makes room."""
KEPT_LONGEST: Final = 500_000
"""Bytes of one, packed; what is larger is made again to be looked at."""


def keep(preview: Preview, *, staff: int, mailing: int) -> str:
    """Keep a preview for who has it made; return its key, empty where it cannot be kept."""
    fields = asdict(preview) | {"raw": preview.raw.decode("latin-1"), "mailing": mailing}
    key = secrets.token_urlsafe(9)
    packed = zlib.compress(json.dumps(fields | {"key": key}).encode(), level=1)
    if len(packed) > KEPT_LONGEST:
        return ""
    try:
        count = f"previews:{staff}"
        place = int(server().incr(count)) % MOST
        server().expire(count, PREVIEW_SECONDS)
        server().set(f"preview:{staff}:{place}", packed, ex=PREVIEW_SECONDS)
    except redis.RedisError as away:
        log.warning("a preview could not be kept: %s", type(away).__name__)
        return ""
    return f"{place}.{key}"


def kept(key: str, *, staff: int, mailing: int) -> Preview | None:
    """Return the preview of a key, if it is still kept and of this person and mailing."""
    place = key.partition(".")[0]
    if place not in map(str, range(MOST)):
        return None
    try:
        packed: Any = server().get(f"preview:{staff}:{place}")
    except redis.RedisError:
        return None
    fields = json.loads(zlib.decompress(packed)) if packed else {}
    if f"{place}.{fields.pop('key', '')}" != key or fields.pop("mailing") != mailing:
        return None
    faults = tuple(SourceError(**fault) for fault in fields["faults"])
    return Preview(**fields | {"raw": fields["raw"].encode("latin-1"), "faults": faults})
