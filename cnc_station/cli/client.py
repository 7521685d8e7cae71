"""The door of a station, for a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cnc_station.cli.sign_on import sign_on
from cnc_station.config import Config
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.principal import owner_principal
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import ListMachines
from cnc_station.local_socket.client import connect


@asynccontextmanager
async def client(config: Config) -> AsyncIterator[Asks]:
    """Yield the door of the station at work here. If there is none, open the database without a
    lock and without services, as the owner of its file. Raises Unavailable; NotSignedOn or Locked
    at a station with accounts."""
    if (station := await connect(config)) is not None:
        try:
            await sign_on(station, config)
            yield station
        finally:
            station.close()
        return
    from cnc_station.engine.engine import open_client  # noqa: PLC0415 - a second, with SQLAlchemy
    from cnc_station.secrets import complete  # noqa: PLC0415 - where a database is opened

    engine = await open_client(complete(config))
    try:
        yield engine.door(owner_principal(config.operator))
    finally:
        await engine.stop()


async def machine_id(door: Asks, name: str) -> int:
    """Return the id of a machine. Raises InvalidInput if there is no machine of this name."""
    for machine in await door.ask(ListMachines()):
        if machine.spec.name == name:
            return machine.id
    raise InvalidInput(FieldError("machine", f"there is no machine {name}"))
