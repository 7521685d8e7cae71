"""The way from a command to the engine's door."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cnc_station.config import Config
from cnc_station.engine.door import Door
from cnc_station.secrets import complete


@asynccontextmanager
async def client(config: Config) -> AsyncIterator[Door]:
    """Commands and queries on the station's database, beside an engine that may be running there.

    Takes no lock and starts no service. Raises Unavailable.
    """
    from cnc_station.engine.engine import open_client  # noqa: PLC0415 - a second, with SQLAlchemy

    engine = await open_client(complete(config))
    try:
        yield engine.local_door
    finally:
        await engine.stop()
