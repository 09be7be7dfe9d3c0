"""Which receiver an address belongs to, at the speed of a dictionary."""

import logging
import threading
import time
from datetime import datetime, timedelta

import redis
from django.db import DatabaseError
from django.utils.timezone import now

from newsletter.models import Receiver, ReceivingDomain
from newsletter.receivers import well_known
from redis_store.connection import server

log = logging.getLogger(__name__)

NOTED = "receivers:noted"
"""The Redis set of domains nobody has asked DNS about yet; names of domains, never addresses."""
NOTED_AT_MOST = 50_000
NOTED_SECONDS = 7 * 86_400
"""Seconds without a new domain after which nobody is there to ask any more."""
KEPT_AT_MOST = 500_000
OLD_AFTER = timedelta(days=7)
UNANSWERED = "?"
"""Instead of an MX, where no name server answered."""
UNANSWERED_OLD_AFTER = timedelta(days=1)
AFRESH_AFTER = 86400.0
"""Seconds after which a long-lived process begins anew, so that what is old is asked again."""
REFRESH_SECONDS = 60.0
REFRESH_WHILE_ASKING = 10.0
ASKED_AGAIN_AFTER = 900.0

REST = int(Receiver.REST)
_RESERVED = ("example", "test", "invalid", "localhost", "local", "internal", "arpa")
_RESERVED_DOMAINS = ("example.com", "example.net", "example.org")


class _Memory:
    """What this process knows: domains with their receiver, and what it still wants to know."""

    def __init__(self) -> None:
        self.known: dict[str, int] = well_known.domains()
        self.old: dict[str, int] = {}
        self.to_note: set[str] = set()
        self.asked: dict[str, float] = {}
        self.loaded_at: datetime | None = None
        self.next_refresh = 0.0
        self.afresh_at = time.monotonic() + AFRESH_AFTER
        self.refreshing = threading.Lock()


_memory = _Memory()


def receiver_of(address: str) -> int:
    """Return the receiver of an address, or of a domain; REST until DNS was asked about it.

    Asks neither the database nor DNS: `refresh` reads what was found out, `mx.look_up` finds out.
    """
    receiver = _memory.known.get(address[address.rfind("@") + 1 :])
    return receiver if receiver is not None else _unknown(address[address.rfind("@") + 1 :])


def _unknown(written: str) -> int:
    """Return the receiver of a domain met for the first time, and note it for asking DNS."""
    domain = written.lower().rstrip(".")
    memory = _memory
    receiver = memory.known.get(domain)
    if receiver is not None:
        return receiver
    if len(memory.known) >= KEPT_AT_MOST:
        return memory.old.get(domain, REST)
    if worth_asking(domain) and len(memory.to_note) < NOTED_AT_MOST:
        memory.to_note.add(domain)
        memory.asked[domain] = time.monotonic()
    memory.known[domain] = receiver = memory.old.pop(domain, REST)
    return receiver


def worth_asking(domain: str) -> bool:
    """Tell whether DNS can know a domain: reserved names never leave this machine (RFC 6761)."""
    return (
        "." in domain
        and len(domain) <= 253
        and domain.rpartition(".")[2] not in _RESERVED
        and ".".join(domain.split(".")[-2:]) not in _RESERVED_DOMAINS
    )


def refresh(*, at_once: bool = False) -> None:
    """Hand on what was noted and read what was found out; at most once a minute, never raises."""
    if time.monotonic() > _memory.afresh_at:
        forget()
    memory = _memory
    is_due = at_once or time.monotonic() >= memory.next_refresh
    if not is_due or not memory.refreshing.acquire(blocking=False):
        return
    try:
        _hand_on(memory)
        _load(memory)
    except (redis.RedisError, DatabaseError) as away:
        log.warning("receiving domains stay as they are known: %s", type(away).__name__)
    finally:
        waits = REFRESH_WHILE_ASKING if memory.asked else REFRESH_SECONDS
        memory.next_refresh = time.monotonic() + waits
        memory.refreshing.release()


def _hand_on(memory: _Memory) -> None:
    """Put noted domains where the task that asks DNS takes them; what was lost is noted again."""
    if memory.to_note:
        domains = list(memory.to_note)
        if int(server().scard(NOTED)) < NOTED_AT_MOST:
            server().sadd(NOTED, *domains)
            server().expire(NOTED, NOTED_SECONDS)
        memory.to_note.difference_update(domains)
    long_ago = time.monotonic() - ASKED_AGAIN_AFTER
    for domain in [name for name, at in list(memory.asked.items()) if at < long_ago]:
        memory.known.pop(domain, None)
        memory.asked.pop(domain, None)


def _load(memory: _Memory) -> None:
    """Read what was looked up since the last time, in one statement."""
    began = now()
    rows = ReceivingDomain.objects.all()
    if memory.loaded_at is not None:
        rows = rows.filter(looked_up_at__gt=memory.loaded_at - timedelta(minutes=10))
    newest = rows.order_by("-looked_up_at").values_list("domain", "receiver", "mx", "looked_up_at")
    for domain, receiver, mx, at in newest[:KEPT_AT_MOST].iterator():
        if at < began - (UNANSWERED_OLD_AFTER if mx == UNANSWERED else OLD_AFTER):
            memory.old[domain] = receiver
        else:
            memory.known[domain] = receiver
            memory.asked.pop(domain, None)
    memory.loaded_at = began


def forget() -> None:
    """Start afresh with the built-in domains alone, as a new process does."""
    global _memory
    _memory = _Memory()
