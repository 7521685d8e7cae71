"""A real engine on a temporary file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cnc_station.config import Config
from cnc_station.engine.engine import StationEngine


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A station of its own, its simulators a thousand times faster than life."""
    return Config(
        data_folder=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'station.db'}",
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
