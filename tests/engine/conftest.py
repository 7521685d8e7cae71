"""A real engine on a temporary file."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.domain import webhooks
from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.drivers import registry
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.views import Abilities
from tests.engine.floor import Controller, FloorOf, kind_of

Station = Callable[..., Awaitable[FloorOf]]


@pytest.fixture
def config(tmp_path: Path, station_file: Path) -> Config:
    """A station of its own, its simulators a thousand times faster than life."""
    return Config(
        data_folder=tmp_path,
        database_url=f"sqlite:///{station_file}",
        station="A",
        simulator_speed=1000.0,
        simulator_seed=1,
        synchronous="NORMAL",
    )


@pytest.fixture
async def engine(config: Config) -> AsyncIterator[StationEngine]:
    """Started, and stopped afterwards."""
    station = StationEngine(config)
    await station.start()
    yield station
    await station.stop()


@pytest.fixture
async def station(config: Config) -> AsyncIterator[Station]:
    """Starts stations (`await station()`, or with settings of its own). Afterwards all that must
    hold does, while they run and when they have stopped."""
    started: list[FloorOf] = []

    async def start(settings: Config = config) -> FloorOf:
        floor = FloorOf(StationEngine(settings))
        await floor.engine.start()
        started.append(floor)
        return floor

    yield start
    for floor in started:
        if floor.engine.supervisor is not None:
            assert await floor.broken() == []
            await floor.engine.stop()


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    """What the driver named `scripted` gives, in every life of the station."""
    made = Controller()
    monkeypatch.setitem(registry.OWN, "scripted", kind_of(lambda: made))
    return made


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Controller]:
    """All that the driver named `scripted` has given, oldest first; those that were made only to
    see that they can be are never connected."""
    found: list[Controller] = []

    def make() -> Controller:
        found.append(Controller())
        return found[-1]

    monkeypatch.setitem(registry.OWN, "scripted", kind_of(make))
    return found


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Controller:
    """As `controller`, of a machine that only reports."""
    made = Controller()
    made.abilities = Abilities(starts=False, holds=False, aborts=False, unlocks=False)
    kind = kind_of(lambda: made)
    info = replace(kind.info, abilities=made.abilities)
    monkeypatch.setitem(registry.OWN, "scripted", replace(kind, info=info))
    return made


@pytest.fixture
async def at_rest(config: Config, station: Station) -> Path:
    """A shop's database with a job in it, nobody at work on it."""
    floor = await station()
    await floor.job()
    await floor.engine.stop()
    assert config.database_path is not None
    return config.database_path


@pytest.fixture
def quick(config: Config, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Everything is tried again soon, and receivers are given up soon."""
    monkeypatch.setattr(webhooks, "RETRY_S", (0.02, 0.04, 0.08))
    return replace(config, webhook_timeout_s=0.4, retry=RetryPolicy(initial_s=0.02, jitter=0.0))
