"""When a mailing must stop by itself: its last answers, kept where all workers see them."""

import logging
import re
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol, cast

import redis
from django.conf import settings

from newsletter.pace.scripts import LUA
from newsletter.receivers.reply_classes import Meaning, meaning
from redis_store.connection import Script, server

log = logging.getLogger(__name__)

IN_A_ROW: Final = 20
WINDOW: Final = 200
HARD_BOUNCES: Final = 6
"""3 % of 200."""
UNWANTED: Final = 10
"""5 % of 200."""
COUNTS_KEPT_SECONDS: Final = 7 * 86400
"""Seconds the last answers are kept."""
DO_NOT_ASK: Final = 5.0
"""Seconds a Redis that is away is left alone."""

LAST_ANSWERS: Final = Script(LUA / "last_answers.lua", keys=3)
_TAKEN, _GONE, _UNWANTED, _OTHER = "s", "h", "p", "f"
_LETTERS: Final = {Meaning.GONE: _GONE, Meaning.UNWANTED: _UNWANTED, Meaning.TROUBLE: _OTHER}
_ROW: Final = re.compile(f"[^{_TAKEN}]{{{IN_A_ROW},}}")
_here: dict[str, str] = {}
"""What this process saw itself, for as long as Redis is away."""
_away: dict[str, float] = {}


class Answered(Protocol):
    """What became of one message (newsletter.transports.Outcome)."""

    @property
    def state(self) -> str: ...
    @property
    def code(self) -> int: ...
    @property
    def enhanced(self) -> str: ...
    @property
    def words(self) -> str: ...


class _Seen(NamedTuple):
    mailing: str
    sender: str
    gone_on: int


def record(sender_id: int, mailing_id: int, outcomes: Sequence[Answered]) -> str:
    """Note how a window ended; return why its mailing must stop, or nothing. Never raises.

    It stops after 20 in a row of a sender that were not taken (C-14), or where of the last 200 of
    this mailing 3 % went to addresses nobody has or 5 % were refused as unwanted (B-6). How long
    the server wants patience, and what was held back before the wire, counts for nothing.
    """
    marks = "".join(map(_mark, outcomes))
    if not marks:
        return ""
    return _judge(_remember(sender_id, mailing_id, marks), outcomes)


def forget(senders: Sequence[int], mailing_id: int) -> None:
    """Start afresh where a person has looked and goes on; the shares allowed then double.

    `senders` are the mailing's own and those that may stand in for it.
    """
    every = [_keys(sender, mailing_id) for sender in senders]
    seen = [key for ring, row, _ in every for key in (ring, row)]
    gone_on = every[0][2]
    for key in seen:
        _here.pop(key, None)
    _here[gone_on] = str(int(_here.get(gone_on, "0")) + 1)
    try:
        with server().pipeline() as all_at_once:
            all_at_once.delete(*seen)
            all_at_once.incr(gone_on)
            all_at_once.expire(gone_on, COUNTS_KEPT_SECONDS)
            all_at_once.execute()
    except redis.RedisError as away:
        log.warning("breakers forget here only: %s", type(away).__name__)


def _mark(outcome: Answered) -> str:
    if outcome.state == "sent":
        return _TAKEN
    if outcome.state == "unknown":
        return _OTHER
    if outcome.state == "failed" or (outcome.state == "deferred" and outcome.code):
        return _LETTERS.get(meaning(outcome.code, outcome.enhanced, outcome.words), "")
    return ""


def _keys(sender: int, mailing: int) -> tuple[str, str, str]:
    return (
        f"breaker:{sender}:{mailing}",
        f"breaker:{sender}:row",
        f"breaker:{mailing}:gone-on",
    )


def _remember(sender: int, mailing: int, marks: str) -> _Seen:
    """Add to what is kept, in Redis in one round trip, or here; return it with what is new."""
    keys, url = _keys(sender, mailing), settings.REDIS_URL
    if time.monotonic() >= _away.get(url, 0.0):
        try:
            ring, row, gone_on = _remember_in_redis(keys, marks)
            return _Seen(ring.decode(), row.decode(), int(gone_on))
        except redis.RedisError as away:
            _away[url] = time.monotonic() + DO_NOT_ASK
            log.warning("breakers see this process only: %s", type(away).__name__)
    seen = _Seen(
        mailing=_here.get(keys[0], "") + marks,
        sender=_here.get(keys[1], "") + marks,
        gone_on=int(_here.get(keys[2], "0")),
    )
    _here[keys[0]], _here[keys[1]] = seen.mailing[-WINDOW:], seen.sender[-(IN_A_ROW - 1) :]
    return seen


def _remember_in_redis(keys: tuple[str, str, str], marks: str) -> list[bytes]:
    reply = LAST_ANSWERS(*keys, marks, str(COUNTS_KEPT_SECONDS), str(WINDOW), str(IN_A_ROW - 1))
    return cast(list[bytes], reply)


def _judge(seen: _Seen, outcomes: Sequence[Answered]) -> str:
    if row_match := _ROW.search(seen.sender):
        last_answer = _last(outcomes, "pfh")
        return f"{len(row_match[0])} mails in a row were not taken; the last answer: {last_answer}"
    ease = 2 ** min(seen.gone_on, 8)
    if _too_many(seen.mailing, _GONE, HARD_BOUNCES * ease):
        return (
            f"{HARD_BOUNCES * ease} of at most {WINDOW} mails went to addresses nobody has;"
            f" is this an old list? The last answer: {_last(outcomes, _GONE)}"
        )
    if _too_many(seen.mailing, _UNWANTED, UNWANTED * ease):
        return (
            f"{UNWANTED * ease} of at most {WINDOW} mails were refused as unwanted;"
            f" the last answer: {_last(outcomes, _UNWANTED)}"
        )
    return ""


def _too_many(marks: str, mark: str, limit: int) -> bool:
    """Tell whether so many of one mark stand within 200 anywhere."""
    at = [place for place, letter in enumerate(marks) if letter == mark]
    return any(last - first < WINDOW for first, last in zip(at, at[limit - 1 :], strict=False))


def _last(outcomes: Sequence[Answered], marks: str) -> str:
    for outcome in reversed(outcomes):
        if outcome.state != "sent" and (mark := _mark(outcome)) and mark in marks:
            parts = (str(outcome.code or ""), outcome.enhanced, outcome.words)
            return " ".join(filter(None, parts)) or "none at all"
    return "none"
