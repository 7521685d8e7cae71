"""The way from a command to a station's door."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cnc_station.config import Config
from cnc_station.engine.door import Asks
from cnc_station.local_socket.client import connect


@asynccontextmanager
async def client(config: Config) -> AsyncIterator[Asks]:
    """The door of the station at work here. Where none is, the database is opened without a lock
    and without services. Raises Unavailable."""
    if (station := await connect(config)) is not None:
        try:
            yield station
        finally:
            station.close()
        return
    from cnc_station.engine.engine import open_client  # noqa: PLC0415 - a second, with SQLAlchemy
    from cnc_station.secrets import complete  # noqa: PLC0415 - where a database is opened

    engine = await open_client(complete(config))
    try:
        yield engine.local_door
    finally:
        await engine.stop()
