"""Kept programs, read and ready to run or to draw; the last used stay in memory."""

from collections import OrderedDict
from functools import partial

from cnc_station.engine.domain.nc import Program, read
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.store.programs import content

KEPT_IN_MEMORY = 32


class Library:
    """Programs by SHA-256. What is kept never changes, so nothing here goes stale."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._programs: OrderedDict[str, Program] = OrderedDict()

    async def program(self, sha256: str) -> Program | None:
        """A program as its moves; None if it is not kept."""
        if sha256 in self._programs:
            self._programs.move_to_end(sha256)
            return self._programs[sha256]
        source = await self._reader.read(partial(content, sha256=sha256))
        if source is None:
            return None
        program = await self._reader.work(partial(read, source))
        self._programs[sha256] = program
        if len(self._programs) > KEPT_IN_MEMORY:
            self._programs.popitem(last=False)
        return program
