"""The scripts inside Redis, each asked by itself on the real server."""

import json
import time
from typing import cast

import pytest
import redis

from newsletter.pace import breakers, scripts
from newsletter.pace.admission import AdmitReply
from newsletter.pace.scripts import ADMIT, LIFT, LUA, RECORD, SNAPSHOT, STOP
from redis_store.connection import server

KEY = "pace:4000001"
GMAIL, REST = 1, 0
YESTERDAY, TOMORROW = time.time() - 3600, time.time() + 82_800

pytestmark = pytest.mark.usefixtures("valkey")


def admit(*receivers: dict[str, object], kind: str = "campaign", **more: object) -> AdmitReply:
    """Ask the script for one window; a receiver is asked for ten unless it says otherwise."""
    asked = [{"n": 10, "stop": 0, "connections": 4} | receiver for receiver in receivers]
    question = {"kind": kind, "process": "here", "days": (), "receivers": asked, **more}
    reply: AdmitReply = ADMIT(KEY, question)
    return reply


def record(**tally: object) -> None:
    """Tell the script of one window; what is not named did not happen."""
    nothing = {"sent": {}, "stops": {}, "back": {}, "uncount": 0, "idle": (), "days": ()}
    RECORD(KEY, {"process": "here", **nothing, **tally})


def fields(valkey: redis.Redis) -> dict[str, float]:
    """Return the sender's hash."""
    stored = cast("dict[bytes, bytes]", valkey.hgetall(KEY))
    return {name.decode(): float(value) for name, value in stored.items()}


def test_every_file_of_lua_is_a_script_or_the_prelude() -> None:
    names = {path.name for path in LUA.iterdir()}
    assert names == {
        "prelude.lua", "admit.lua", "record.lua", "lift.lua", "snapshot.lua", "last_answers.lua",
    }  # fmt: skip


def test_admit_lets_all_go_without_limits_and_writes_nothing(valkey: redis.Redis) -> None:
    reply = admit({"r": REST})
    assert reply["receivers"] == [
        {"r": REST, "go": 10, "why": "", "wait": 0, "spread": 0, "connections": -1}
    ]
    assert valkey.keys("*") == []


def test_admit_holds_back_at_a_receiver_s_rate_and_promises_slots(valkey: redis.Redis) -> None:
    (gmail,) = admit({"r": GMAIL, "rate": 4})["receivers"]
    assert (gmail["go"], gmail["why"]) == (4, "receiver")
    assert gmail["spread"] == pytest.approx(0.25)
    assert fields(valkey)["level1"] == pytest.approx(0.4)


def test_admit_shares_the_sender_s_rate_in_proportion() -> None:
    receivers = admit({"r": REST, "n": 30}, {"r": GMAIL, "n": 10}, rate=8)["receivers"]
    assert [(one["go"], one["why"]) for one in receivers] == [(6, "sender"), (2, "sender")]


def test_admit_leaves_letters_alone() -> None:
    (gmail,) = admit({"r": GMAIL, "rate": 1}, kind="letter", rate=1)["receivers"]
    assert gmail["go"] == 10


def test_admit_asks_for_the_warm_up_s_count_where_it_is_lost(valkey: redis.Redis) -> None:
    days = [(YESTERDAY, "2026-01-05", 12), (TOMORROW, "2026-01-06", 24)]
    reply = admit({"r": REST}, days=days)
    assert (reply["need"], reply["start"]) == ("2026-01-05", pytest.approx(YESTERDAY))
    (rest,) = admit({"r": REST}, days=days, counted=("2026-01-05", 5))["receivers"]
    assert (rest["go"], rest["why"]) == (7, "day")
    assert valkey.get(f"{KEY}:day:2026-01-05") == b"12"


def test_record_counts_what_left_and_gives_back_what_did_not(valkey: redis.Redis) -> None:
    admit({"r": REST, "rate": 10})
    before = fields(valkey)["level0"]
    record(sent={REST: 7}, back={"0": 3})
    assert fields(valkey)["level0"] == pytest.approx(before + 3)
    (second,) = valkey.keys(f"{KEY}:*")
    assert valkey.hgetall(second) == {b"s0": b"7"}
    assert 0 < valkey.ttl(second) <= 90


def test_record_stops_a_receiver_and_admit_goes_by_it() -> None:
    record(stops={"1": STOP})
    gmail, rest = admit({"r": GMAIL}, {"r": REST})["receivers"]
    assert (gmail["go"], gmail["why"]) == (0, "stop")
    assert gmail["wait"] == pytest.approx(STOP, abs=1)
    assert rest["go"] == 10


def test_record_takes_from_the_warm_up_what_was_not_taken(valkey: redis.Redis) -> None:
    days = [(YESTERDAY, "2026-01-05", 12)]
    admit({"r": REST}, days=days, counted=("2026-01-05", 0))
    record(uncount=4, days=days)
    assert valkey.get(f"{KEY}:day:2026-01-05") == b"6"


def test_lift_ends_every_stop(valkey: redis.Redis) -> None:
    record(stops={"1": STOP, "*": 20})
    assert {"stop1", "stop*"} <= set(fields(valkey))
    LIFT(KEY, {"days": ()})
    assert not [name for name in fields(valkey) if name.startswith("stop")]
    assert admit({"r": GMAIL})["receivers"][0]["go"] == 10


def test_snapshot_tells_state_and_counts(valkey: redis.Redis) -> None:
    record(stops={"1": STOP})
    moment = int(valkey.time()[0])
    for back, count in ((2, 5), (3, 5), (30, 40)):
        valkey.hset(f"{KEY}:{moment - back}", "s1", count)
    reply = SNAPSHOT(KEY, {"days": ()})
    assert reply["counted"] == {"s1": [10, 50]}
    assert reply["state"]["stop1"] == pytest.approx(reply["now"] + STOP, abs=2)


def test_last_answers_keep_so_many_and_return_all(valkey: redis.Redis) -> None:
    keys = ("breaker:1:1", "breaker:1:row", "breaker:1:gone-on")
    assert breakers.LAST_ANSWERS(*keys, "sss", "60", "5", "2") == [b"sss", b"sss", b"0"]
    valkey.incr(keys[2])
    assert breakers.LAST_ANSWERS(*keys, "hhh", "60", "5", "2") == [b"ssshhh", b"sshhh", b"1"]
    assert (valkey.get(keys[0]), valkey.get(keys[1])) == (b"sshhh", b"hh")
    assert 0 < valkey.ttl(keys[0]) <= 60


def test_a_script_redis_forgot_is_sent_again(valkey: redis.Redis) -> None:
    admit({"r": REST})
    valkey.script_flush()
    assert admit({"r": REST})["receivers"][0]["go"] == 10


def test_a_known_script_costs_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    admit({"r": REST})
    calls: list[str] = []
    execute = type(server()).execute_command

    def counted(self: redis.Redis, *args: object, **options: object) -> object:
        calls.append(str(args[0]))
        return execute(self, *args, **options)

    monkeypatch.setattr(redis.Redis, "execute_command", counted)
    admit({"r": REST})
    assert calls == ["EVALSHA"]


def test_the_constants_of_a_script_come_from_python(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    constants = json.loads(scripts._CONSTANTS) | {"kept_seconds": 7}
    monkeypatch.setattr(scripts, "_CONSTANTS", json.dumps(constants))
    record(sent={REST: 1})
    (second,) = valkey.keys(f"{KEY}:*")
    assert 0 < valkey.ttl(second) <= 7
