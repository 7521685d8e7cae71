"""What stations tell one another through a real Redis."""

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest
import redis

from cnc_station import addresses
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.signals.base import SignalHandlers
from cnc_station.engine.signals.redis import MOST_HINTS, RedisSignals
from cnc_station.engine.views import Changes, Telemetry
from tests.conftest import serving
from tests.tools.servers import Redis
from tests.until import until

KNOWN = Telemetry(**{one.name: place for place, one in enumerate(fields(Telemetry), start=1)})


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
    changes: list[Changes] = field(default_factory=list)
    telemetry: dict[int, Telemetry] = field(default_factory=dict)
    gaps: int = 0

    def miss(self) -> None:
        self.gaps += 1

    async def start(self) -> None:
        def see(telemetry: Mapping[int, Telemetry]) -> None:
            self.telemetry.update(telemetry)

        await self.signals.start(SignalHandlers(lambda: None, self.changes.append, see, self.miss))
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
    b.signals.publish_notice(Changes(jobs=frozenset({1})))
    await until(lambda: a.changes)
    assert a.telemetry == {}


async def test_a_notice_reaches_the_others_as_it_is_and_not_its_own_station(
    stations: tuple[Heard, Heard],
) -> None:
    a, b = stations
    told = Changes(frozenset({3, 5}), frozenset({2}), programs=True, stations=True)
    a.signals.publish_notice(told)
    await until(lambda: b.changes == [told])
    b.signals.publish_notice(Changes(everything=True))
    await until(lambda: a.changes)
    assert a.changes == [Changes(everything=True)]


async def test_a_redis_that_is_full_takes_no_hint_and_is_not_told_everything_again_and_again(
    stations: tuple[Heard, Heard], redis_server: Redis
) -> None:
    a, b = stations
    await a.signals.ping()
    with _client(redis_server) as admin:
        admin.config_set("maxmemory", "1")
        try:
            a.signals.announce_work({"mill": 1})
            a.signals.publish_notice(Changes(jobs=frozenset({1})))
            await until(lambda: b.changes)
            a.signals.publish_notice(Changes(jobs=frozenset({2})))
            await until(lambda: len(b.changes) > 1)
            assert b.changes == [Changes(jobs=frozenset({1})), Changes(jobs=frozenset({2}))]
            with pytest.raises(Unavailable, match=r"Redis takes nothing: .*maxmemory"):
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
        a.signals.publish_notice(Changes(jobs=frozenset({number})))
        await until(lambda: Changes(jobs=frozenset({number})) in b.changes)  # noqa: B023 - awaited at once
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
    other.signals.publish_notice(Changes(jobs=frozenset({1})))
    a.signals.publish_notice(Changes(jobs=frozenset({2})))
    await until(lambda: b.changes)
    await other.signals.stop()
    assert (b.changes, b.telemetry) == ([Changes(jobs=frozenset({2}))], {})
    assert other.changes == []


async def test_a_letter_that_can_not_be_read_costs_a_look_at_everything_and_not_the_connection(
    stations: tuple[Heard, Heard], redis_server: Redis
) -> None:
    """A station of another version may say more, or something else."""
    a, b = stations
    letter = '{"from":"x","body":{"7":{"fraction":0.5,"coolant":1}}}'
    with _client(redis_server) as admin:
        (channel,) = admin.pubsub_channels("*telemetry")
        admin.publish(channel, letter)
        await until(lambda: b.telemetry == {7: Telemetry(fraction=0.5)})
        gaps = b.gaps
        admin.publish(channel, "{}")
        for letter in ("?", "[]", '{"from":"x","body":{"jobs":[1]}}'):
            admin.publish(channel.replace(b"telemetry", b"changes"), letter)
    a.signals.publish_notice(Changes(jobs=frozenset({2})))
    await until(lambda: b.changes == [Changes(jobs=frozenset({2}))])
    assert b.gaps == gaps + 3


async def test_stations_hear_each_other_through_a_redis_at_a_file() -> None:
    with serving(AtASocket) as server:
        a, b = (Heard(RedisSignals(addresses.redis(server.by_file))) for _ in range(2))
        for one in (a, b):
            await one.start()
            await one.signals.ping()
        a.signals.publish_notice(Changes(jobs=frozenset({1})))
        await until(lambda: b.changes)
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


def _client(server: Redis) -> redis.Redis:
    return redis.Redis.from_url(server.url)
