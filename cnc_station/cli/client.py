"""Access of a command to the engine's interface."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cnc_station.config import Config
from cnc_station.engine.interface import Engine
from cnc_station.secrets import complete


@asynccontextmanager
async def client(config: Config) -> AsyncIterator[Engine]:
    """Commands and queries on the station's database, beside an engine that may be running.

    Takes no lock and starts no service. Raises Unavailable.
    """
    from cnc_station.engine.engine import open_client  # noqa: PLC0415 - a second, with SQLAlchemy

    engine = await open_client(complete(config))
    try:
        yield engine
    finally:
        await engine.stop()
