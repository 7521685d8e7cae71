"""What stations tell one another through a real Redis."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, fields

import pytest

from cnc_station.engine.signals.base import Hearing
from cnc_station.engine.signals.redis import RedisSignals
from cnc_station.engine.views import Changes, Telemetry
from cnc_station.servers import Redis
from tests.until import until

KNOWN = Telemetry(**{one.name: place for place, one in enumerate(fields(Telemetry), start=1)})


@dataclass(slots=True)
class Heard:
    """One station's ears."""

    signals: RedisSignals
    changes: list[Changes] = field(default_factory=list)
    telemetry: dict[int, Telemetry] = field(default_factory=dict)

    async def start(self) -> None:
        def see(telemetry: Mapping[int, Telemetry]) -> None:
            self.telemetry.update(telemetry)

        await self.signals.start(Hearing(lambda: None, self.changes.append, see, lambda: None))
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
    a.signals.show({7: told})
    await until(lambda: b.telemetry == {7: told})
    b.signals.tell(Changes(jobs=frozenset({1})))
    await until(lambda: a.changes)
    assert a.telemetry == {}


async def test_a_notice_reaches_the_others_as_it_is_and_not_its_own_station(
    stations: tuple[Heard, Heard],
) -> None:
    a, b = stations
    told = Changes(frozenset({3, 5}), frozenset({2}), programs=True, stations=True)
    a.signals.tell(told)
    await until(lambda: b.changes == [told])
    b.signals.tell(Changes(everything=True))
    await until(lambda: a.changes)
    assert a.changes == [Changes(everything=True)]
