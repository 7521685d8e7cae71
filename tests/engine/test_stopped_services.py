"""Which services go on when a station has lost its name, or no longer leads."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from cnc_station.config import Config
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListLinks
from cnc_station.engine.services.leadership import Leadership
from cnc_station.engine.services.lifeline import Lifeline
from cnc_station.engine.services.service import Service
from tests.engine.conftest import Station
from tests.engine.floor import service_of, supervisor_of
from tests.until import until

ALWAYS = {"Lifeline", "LoopLag", "Ticker"}
LED = {"Alerts", "HistoryCleaner", "Reaper", "Schedules", "Stager"}
ANYWAY = {
    "ControllerMonitor",
    "DailyBackups",
    "Deliveries",
    "HandlerDispatcher",
    "Leadership",
    "MachineDispatcher",
    "Reconciler",
    "RemoteCommands",
}


class _Looks:
    """How often each service of a station looks, by name."""

    def __init__(self, services: Sequence[Service], patch: pytest.MonkeyPatch) -> None:
        self.services = services
        self.count: Counter[str] = Counter()
        for one in services:
            self._watch(one, patch)

    def _watch(self, service: Service, patch: pytest.MonkeyPatch) -> None:
        run_once = service.run_once

        async def counted() -> float:
            self.count[type(service).__name__] += 1
            return await run_once()

        patch.setattr(service, "run_once", counted)

    async def again(self, service: Service) -> None:
        """Until a service has looked once more: what it did before is done."""
        name = type(service).__name__
        before = self.count[name]
        service.wake.hint()
        await until(lambda: self.count[name] > before)

    async def of_all(self, lifeline: Service) -> set[str]:
        """Those that look when all are woken."""
        self.count.clear()
        for one in self.services:
            one.wake.hint()
        await until(lambda: self.count.keys() >= ALWAYS)
        for _ in range(3):
            await self.again(lifeline)
        return set(self.count)


@pytest.fixture
async def engine(config: Config, station: Station) -> StationEngine:
    return (await station(replace(config, lease_s=30.0, leader_lease_s=3_600.0))).engine


@pytest.fixture
def looks(engine: StationEngine, monkeypatch: pytest.MonkeyPatch) -> _Looks:
    return _Looks(supervisor_of(engine).services, monkeypatch)


def _by_hand(config: Config, statement: str) -> None:
    with closing(sqlite3.connect(str(config.database_path), timeout=60.0)) as connection:
        connection.execute(statement)
        connection.commit()


async def test_a_station_whose_name_was_taken_stops_all_that_acts_and_is_still_heard(
    engine: StationEngine, config: Config, looks: _Looks
) -> None:
    lifeline = service_of(engine, Lifeline)
    assert await looks.of_all(lifeline) == ALWAYS | LED | ANYWAY
    _by_hand(config, "UPDATE station SET incarnation = 'other'")
    lifeline.wake.hint()
    await until(lambda: "name" in {link.name for link in engine.local_door.peek(ListLinks())})
    await looks.again(lifeline)
    assert await looks.of_all(lifeline) == ALWAYS


async def test_what_a_leader_does_stops_with_its_term_and_begins_with_the_next(
    engine: StationEngine, config: Config, looks: _Looks
) -> None:
    leadership, lifeline = service_of(engine, Leadership), service_of(engine, Lifeline)
    await until(lambda: leadership.term is not None)
    before = leadership.term
    _by_hand(config, "UPDATE leader SET incarnation = 'other', expires_at = 1e15")
    leadership.wake.hint()
    await until(lambda: leadership.term is None)
    await looks.again(leadership)
    assert await looks.of_all(lifeline) == ALWAYS | ANYWAY
    _by_hand(config, "UPDATE leader SET expires_at = 0")
    leadership.wake.hint()
    await until(lambda: looks.count.keys() >= LED)
    assert leadership.term == (before or 0) + 1
