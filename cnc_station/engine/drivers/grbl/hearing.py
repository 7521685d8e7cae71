"""Who is told what a controller says, and how to wait for it."""

import asyncio
import contextlib
from typing import Protocol

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.drivers.grbl import meanings
from cnc_station.engine.drivers.grbl.reports import Report


class Refused(CncStationError):
    """The controller answered a command with an error."""

    def __init__(self, code: int) -> None:
        super().__init__(meanings.error(code))
        self.code = code


class Hears(Protocol):
    """Called from within the loop; must not block."""

    def answered(self, code: int) -> None:
        """A program line was taken (0), or refused with an error."""
        ...

    def heard(self) -> None:
        """All that came at once has been passed on."""
        ...

    def reported(self, report: Report) -> None: ...
    def alarmed(self, code: int) -> None: ...
    def strange(self) -> None:
        """It said something that is none of its answers: perhaps a greeting of its own."""
        ...

    def was_reset(self) -> None:
        """It came up anew, and nobody here had asked it to."""
        ...

    def lost(self, reason: str) -> None: ...


class News:
    """Wakes all who wait at once."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    async def wait(self, within: float) -> None:
        """Until there are any, or for so many seconds."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await waiting

    def tell(self) -> None:
        """There are some."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
