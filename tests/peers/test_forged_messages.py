"""Messages on a station's Redis that no station has sent."""

import asyncio
import json

import pytest
import redis

from cnc_station.engine.domain.notice import MISSED, MOST_EVENTS, Notice, NoticeEvent
from cnc_station.engine.services.remote_telemetry import RemoteTelemetry
from cnc_station.engine.signals import messages
from cnc_station.engine.signals.base import SignalHandlers
from cnc_station.engine.signals.redis import RedisSignals
from cnc_station.engine.views import Telemetry
from cnc_station.peers.limits import REDIS
from tests.peers.watching import going_on
from tests.tools.servers import Redis
from tests.until import until

EVENT = ["held", "A", 3, 5, 2, "", "held", "held", "held", None, None, False]


def notice(*events: list[object]) -> bytes:
    return _message([*zip(*events, strict=True)])


def _message(columns: object) -> bytes:
    return json.dumps({"from": "x", "body": {"columns": columns, "missed": False}}).encode()


def telemetry(**told: object) -> bytes:
    return json.dumps({"from": "x", "body": {"7": told}}).encode()


@pytest.mark.parametrize(
    "data",
    [
        notice([*EVENT[:2], 2**70, *EVENT[3:]]),
        notice([*EVENT[:2], -1, *EVENT[3:]]),
        notice([*EVENT[:2], [1], *EVENT[3:]]),
        notice([*EVENT[:2], "1; DROP TABLE job", *EVENT[3:]]),
        notice([7, *EVENT[1:]]),
        notice(["held", "A" * 10_000, *EVENT[2:]]),
        notice(*[EVENT] * (MOST_EVENTS + 1)),
        _message([[[[]]]]),
        _message([["held"], ["A"], [3, 4]]),
        b"[" * 100_000,
        b'{"from":"x","body":' + b'{"columns":[' * 100_000,
        b"\xff\xfe\x00",
        b" " * (REDIS.bytes + 1),
    ],
    ids=lambda data: f"{data[30:90]!r}",
)
def test_a_forged_notice_costs_a_look_at_everything(data: bytes) -> None:
    assert messages.notice(data) is MISSED


def test_a_sound_notice_is_heard_as_it_is() -> None:
    (event,) = messages.notice(notice(EVENT)).events
    assert (event.job_id, event.run_id, event.machine_id) == (3, 5, 2)


def test_an_older_station_may_send_fewer_fields_and_a_newer_one_more() -> None:
    (event,) = messages.notice(notice(EVENT[:3])).events
    assert event == NoticeEvent("held", "A", 3)
    (event,) = messages.notice(notice([*EVENT, "new"])).events
    assert event.job_state == "held"


@pytest.mark.parametrize(
    "told",
    [
        {"fraction": "<b>"},
        {"line": "x"},
        {"x": float("nan")},
        {"remaining_s": float("inf")},
        {"remaining_s": 1e300},
        {"fraction": 7.0},
        {"part_fraction": -0.5},
        {"line": 10**30},
        {"part": [[]]},
        {"x": -1e400},
    ],
    ids=repr,
)
def test_telemetry_that_no_machine_reports_is_dropped(told: dict[str, object]) -> None:
    assert messages.telemetry(telemetry(**told)) == {}
    assert messages.telemetry(telemetry(x=1.5)) == {7: Telemetry(x=1.5)}


async def test_floods_and_huge_messages_keep_the_subscription_and_the_loop(
    redis_server: Redis,
) -> None:
    redis_server.clear()
    notices: list[Notice] = []
    signals = RedisSignals(redis_server.url)
    await signals.start(SignalHandlers(lambda _: None, notices.append, lambda _: None))
    await until(lambda: signals.connected)
    with redis.Redis.from_url(redis_server.url) as admin:
        (channel,) = admin.pubsub_channels("*changes")

        def publish() -> None:
            admin.publish(channel, b"[" * 900_000)
            admin.publish(channel, b"x" * 20_000_000)
            for _ in range(2_000):
                admin.publish(channel, notice([*EVENT[:2], 2**70, *EVENT[3:]]))
            admin.publish(channel, notice(EVENT))

        gaps = len(notices)
        async with going_on(60):
            await asyncio.to_thread(publish)
            await until(lambda: notices[-1].jobs == {3})
    assert signals.connected
    assert len(notices) == gaps + 2_003
    await signals.stop()


async def test_only_machines_that_exist_are_kept() -> None:
    reads = 0

    async def existing() -> frozenset[int]:
        nonlocal reads
        reads += 1
        return frozenset({1, 2})

    remote = RemoteTelemetry(existing)
    assert remote.hear({1: Telemetry(line=4)}) == frozenset()
    await until(lambda: remote.hear({1: Telemetry(line=5)}))
    for forged in range(10_000):
        assert remote.hear({forged + 3: Telemetry()}) == frozenset()
        assert remote.latest(forged + 3) is None
    assert remote.latest(1) == Telemetry(line=5)
    assert reads == 1
    await remote.stop()
