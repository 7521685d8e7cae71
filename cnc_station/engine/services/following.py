"""What a machine does by itself in the middle of a run (a stop in its program, somebody at its
panel) is written as it happens."""

import asyncio
import logging

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced
from cnc_station.engine.services.live import Live, Wait
from cnc_station.engine.services.outcome import move_of
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.views import Doing, Status

log = logging.getLogger(__name__)

CONTROLLER = "controller"


class Following:
    """Follows the machine of one run."""

    def __init__(self, writer: RetryingWriter, live: Live) -> None:
        self._writer = writer
        self._live = live
        self._task: asyncio.Task[None] | None = None

    def hear(self, status: Status) -> None:
        """Told by the driver; what differs from what is written is written."""
        live = self._live
        if live.begun and self._differs(status) and not live.changing.locked():
            self._task = asyncio.create_task(self._follow())

    async def over(self) -> None:
        """When what it has heard is written."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _differs(self, status: Status) -> bool:
        live = self._live
        if live.waits_for(Wait.NEXT_PART):
            return False
        return status.doing is (Doing.RUNNING if live.held else Doing.HELD)

    async def _follow(self) -> None:
        live = self._live
        async with live.changing:
            try:
                while self._differs(status := live.driver.status()):
                    row = t.CONTINUED if live.held else t.HELD
                    why = "" if live.held else status.why or "held at the machine"
                    await self._writer.write_until_committed(
                        move_of(live.claimed, row, CONTROLLER, reason=why)
                    )
                    live.held = not live.held
            except (Fenced, Conflict) as error:
                log.warning("run %s of job %s: %s", live.claimed.run_id, live.claimed.job_id, error)
