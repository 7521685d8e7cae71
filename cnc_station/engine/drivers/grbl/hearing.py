"""The listener of a controller, and a signal to wait for its next data."""

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


class ControllerListener(Protocol):
    """Receives what a controller sends. Called from within the loop; must not block."""

    def answered(self, code: int) -> None:
        """A program line was accepted (0), or refused with an error."""
        ...

    def batch_received(self) -> None:
        """All lines received at once have been passed on."""
        ...

    def reported(self, report: Report) -> None: ...
    def alarmed(self, code: int) -> None: ...
    def unknown_line(self) -> None:
        """A line came that is not a known answer: possibly a custom welcome line."""
        ...

    def was_reset(self) -> None:
        """The controller restarted without a request from here."""
        ...

    def lost(self, reason: str) -> None: ...


class ChangeSignal:
    """Wakes all waiting tasks at once."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    async def wait(self, within: float) -> None:
        """Wait for the next notification, or `within` seconds."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await waiting

    def notify(self) -> None:
        """Wake all waiting tasks."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
