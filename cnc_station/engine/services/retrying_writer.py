"""Write for services: once, or until it is committed."""

import asyncio
import logging
from typing import TypeVar

from cnc_station.engine.domain.errors import AlreadyDone, Unavailable
from cnc_station.engine.services.health import Health
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.store.writer import Writer
from cnc_station.engine.timing import GrowingPause

log = logging.getLogger(__name__)

T = TypeVar("T")
DATABASE = "database"
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


class RetryingWriter:
    """Writes commands, and reports the state of the database to `health`."""

    def __init__(self, writer: Writer, health: Health) -> None:
        self._writer = writer
        self._health = health

    async def write(self, command: StoreCommand[T]) -> T:
        """Write once. Raises what the command raises, or Unavailable."""
        try:
            result = await self._writer.write(command)
        except Unavailable as error:
            self._health.down(DATABASE, str(error))
            raise
        self._health.up(DATABASE)
        return result

    async def write_until_committed(self, command: StoreCommand[None]) -> None:
        """Write what has happened, again and again until it is committed or refused. An earlier
        attempt may have been committed although its answer was lost."""
        pause = GrowingPause(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        again, logged = False, ""
        while True:
            try:
                await self.write(command)
            except AlreadyDone:
                if not again:
                    raise
                return
            except Unavailable as error:
                again = True
                if logged != (logged := str(error)):
                    log.warning("not written yet, will be tried again: %s", error)
            else:
                return
            await asyncio.sleep(pause.next_s())
