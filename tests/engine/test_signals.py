"""What stations tell one another through a real Redis."""

import json
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import pytest
import redis

from cnc_station import addresses
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.notice import MISSED, MOST_EVENTS, Notice, NoticeEvent, Topic
from cnc_station.engine.signals.base import SignalHandlers
from cnc_station.engine.signals.redis import MOST_HINTS, RedisSignals
from cnc_station.engine.views import Telemetry
from tests.conftest import serving
from tests.tools.servers import Redis
from tests.until import until

KNOWN = replace(
    Telemetry(**{one.name: place for place, one in enumerate(fields(Telemetry), start=1)}),
    fraction=0.5,
    part_fraction=0.25,
)


class AtASocket(Redis):
    """One that can be reached by a file too, as on the computer of a shop's server."""

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def by_file(self) -> str:
        return addresses.with_password(f"unix://{self.socket}", addresses.password(self.url) or "")

    def _command(self) -> list[str]:
        return [*super()._command(), "--unixsocket", str(self.socket), "--unixsocketperm", "777"]


@dataclass(slots=True)
class Heard:
    """One station's ears."""

    signals: RedisSignals
    notices: list[Notice] = field(default_factory=list)
    telemetry: dict[int, Telemetry] = field(default_factory=dict)
    gaps: int = 0

    def hear(self, notice: Notice) -> None:
        if notice.missed:
            self.gaps += 1
        else:
            self.notices.append(notice)

    async def start(self) -> None:
        def see(telemetry: Mapping[int, Telemetry]) -> None:
            self.telemetry.update(telemetry)

        await self.signals.start(SignalHandlers(lambda _: None, self.hear, see))
        await until(lambda: self.signals.connected)


@pytest.fixture
async def stations(redis_server: Redis) -> AsyncIterator[tuple[Heard, Heard]]:
    redis_server.clear()
    pair = Heard(RedisSignals(redis_server.url)), Heard(RedisSignals(redis_server.url))
    for one in pair:
        await one.start()
    yield pair
    for one in pair:
        await one.signals.stop()


@pytest.mark.parametrize("told", [KNOWN, Telemetry(), Telemetry(fraction=0.25, x=-1.5)])
async def test_what_a_machine_does_reaches_the_others_as_it_is_and_not_its_own_station(
    stations: tuple[Heard, Heard], told: Telemetry
) -> None:
    a, b = stations
    a.signals.publish_telemetry({7: told})
    await until(lambda: b.telemetry == {7: told})
    b.signals.publish_notice(_of_job(1))
    await until(lambda: a.notices)
    assert a.telemetry == {}


async def test_a_notice_reaches_the_others_as_it_is_and_not_its_own_station(
    stations: tuple[Heard, Heard],
) -> None:
    a, b = stations
    held = NoticeEvent(t.HELD.name, "A", 3, 5, 2, "Sunrise", "held", "held", "held")
    due = NoticeEvent(Topic.JOB_UNBLOCKED, "A", 4, machine_type="mill", due_at=9)
    told = Notice.of(held, due, NoticeEvent(t.CLEARED.name, machine_id=2, frees_machine=True))
    a.signals.publish_notice(told)
    await until(lambda: b.notices == [told])
    gaps = a.gaps
    b.signals.publish_notice(MISSED)
    await until(lambda: a.gaps > gaps)
    assert a.notices == []


async def test_what_a_newer_station_says_more_of_an_event_is_left_out(
    stations: tuple[Heard, Heard], redis_server: Redis
) -> None:
    _, b = stations
    event = [t.HELD.name, "A", 3, 5, 2, "", "held", "held", "held", None, None, False, None]
    body = {"columns": [[value] for value in [*event, "coolant"]], "missed": False, "cursor": 7}
    with _client(redis_server) as admin:
        (channel,) = admin.pubsub_channels("*changes")
        admin.publish(channel, json.dumps({"from": "x", "body": body}))
    await until(lambda: b.notices)
    held = NoticeEvent(t.HELD.name, "A", 3, 5, 2, "", "held", "held", "held")
    assert b.notices == [Notice.of(held)]


async def test_more_events_than_anybody_reads_become_one_look_at_everything(
    stations: tuple[Heard, Heard],
) -> None:
    """Redis was away for a weekend, or somebody has imported a whole year."""
    a, b = stations
    gaps = b.gaps
    a.signals.publish_notice(
        Notice.of(*[NoticeEvent(t.CREATED.name, job_id=1)] * (MOST_EVENTS + 1))
    )
    await until(lambda: b.gaps == gaps + 1)
    assert b.notices == []


async def test_a_redis_that_is_full_takes_no_hint_and_is_not_told_everything_again_and_again(
    stations: tuple[Heard, Heard], redis_server: Redis
) -> None:
    a, b = stations
    await a.signals.ping()
    with _client(redis_server) as admin:
        admin.config_set("maxmemory", "1")
        try:
            a.signals.announce_work({"mill": 1})
            a.signals.publish_notice(_of_job(1))
            await until(lambda: b.notices)
            a.signals.publish_notice(_of_job(2))
            await until(lambda: len(b.notices) > 1)
            assert b.notices == [_of_job(1), _of_job(2)]
            with pytest.raises(Unavailable, match=r"Redis accepts no data: .*maxmemory"):
                await a.signals.ping()
        finally:
            admin.config_set("maxmemory", "0")
    await a.signals.ping()
    assert a.signals.connected


async def test_hints_that_nobody_asks_for_do_not_pile_up(
    stations: tuple[Heard, Heard], redis_server: Redis
) -> None:
    """Of jobs for a type of machine that no station has, say."""
    a, b = stations
    for number in range(4):
        a.signals.announce_work({"lathe": 400})
        a.signals.publish_notice(_of_job(number))
        await until(lambda: _of_job(number) in b.notices)  # noqa: B023 - awaited at once
    with _client(redis_server) as admin:
        (key,) = admin.keys("*wake:lathe")
        assert admin.zcard(key) == MOST_HINTS


async def test_two_fleets_in_two_databases_of_one_redis_do_not_hear_each_other(
    stations: tuple[Heard, Heard], redis_server: Redis
) -> None:
    """Their machines have the same numbers."""
    a, b = stations
    other = Heard(RedisSignals(redis_server.url.removesuffix("/0") + "/1"))
    await other.start()
    other.signals.publish_telemetry({7: KNOWN})
    other.signals.publish_notice(_of_job(1))
    a.signals.publish_notice(_of_job(2))
    await until(lambda: b.notices)
    await other.signals.stop()
    assert (b.notices, b.telemetry) == ([_of_job(2)], {})
    assert other.notices == []


async def test_a_message_that_can_not_be_read_costs_a_look_at_everything_and_not_the_connection(
    stations: tuple[Heard, Heard], redis_server: Redis
) -> None:
    """A station of another version may say more, or something else."""
    a, b = stations
    message = '{"from":"x","body":{"7":{"fraction":0.5,"coolant":1}}}'
    with _client(redis_server) as admin:
        (channel,) = admin.pubsub_channels("*telemetry")
        admin.publish(channel, message)
        await until(lambda: b.telemetry == {7: Telemetry(fraction=0.5)})
        gaps = b.gaps
        admin.publish(channel, "{}")
        of_a_former_version = '{"from":"x","body":{"jobs":[1],"everything":false}}'
        for message in ("?", "[]", of_a_former_version, "[" * 100_000, '{"body":{"events":[1]}}'):
            admin.publish(channel.replace(b"telemetry", b"changes"), message)
    a.signals.publish_notice(_of_job(2))
    await until(lambda: b.notices == [_of_job(2)])
    assert b.gaps == gaps + 5


async def test_stations_hear_each_other_through_a_redis_at_a_file() -> None:
    with serving(AtASocket) as server:
        a, b = (Heard(RedisSignals(addresses.redis(server.by_file))) for _ in range(2))
        for one in (a, b):
            await one.start()
            await one.signals.ping()
        a.signals.publish_notice(_of_job(1))
        await until(lambda: b.notices)
        for one in (a, b):
            await one.signals.stop()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
@pytest.mark.usefixtures("stations")
def test_a_connection_that_is_cut_off_silently_is_noticed_by_itself(redis_server: Redis) -> None:
    """A firewall forgets one that says nothing at night; the probe's own goes on."""
    found = 0
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError), socket.socket(fileno=os.dup(int(file.name))) as way:
            if way.family is socket.AF_INET and way.getpeername()[1] == redis_server.port:
                assert way.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 10
                assert 0 < way.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 10_000
                found += 1
    assert found >= 2


def _of_job(job_id: int) -> Notice:
    return Notice.of(NoticeEvent(t.HELD.name, job_id=job_id))


def _client(server: Redis) -> redis.Redis:
    return redis.Redis.from_url(server.url)
