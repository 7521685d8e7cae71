"""Writing for services: once, or until it is written."""

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
    """The writer, and what its answers say about the database."""

    def __init__(self, writer: Writer, health: Health) -> None:
        self._writer = writer
        self._health = health

    async def write(self, change: StoreCommand[T]) -> T:
        """Write once. Raises what the change raises, or Unavailable."""
        try:
            result = await self._writer.write(change)
        except Unavailable as error:
            self._health.down(DATABASE, str(error))
            raise
        self._health.up(DATABASE)
        return result

    async def write_until_committed(self, change: StoreCommand[None]) -> None:
        """Write what has happened and must not be lost: again and again until it is written, or
        refused for good. It may have been written although the answer was lost."""
        pause = GrowingPause(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        again, said = False, ""
        while True:
            try:
                await self.write(change)
            except AlreadyDone:
                if not again:
                    raise
                return
            except Unavailable as error:
                again = True
                if said != (said := str(error)):
                    log.warning("not written yet, it is tried again: %s", error)
            else:
                return
            await asyncio.sleep(pause.next_s())
