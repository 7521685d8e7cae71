"""Watch the controllers of machines without a run: write their status, and reconnect lost ones."""

import asyncio

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.notice import one_of
from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.driver_pool import DriverPool
from cnc_station.engine.services.reconciler import GIVEN_UP, REWIRED
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.queries.machine_rows import stored_machines
from cnc_station.engine.timing import GrowingPause
from cnc_station.engine.views import MachineRow

REST_S = 15.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0


class ControllerMonitor(Service):
    """Woken by news from a controller. Compares all controllers with what is written."""

    wakes_on = (REWIRED, GIVEN_UP, one_of(t.DISCONNECTED))

    def __init__(self, context: ServiceContext, pool: DriverPool, runs: ActiveRuns) -> None:
        super().__init__()
        self._reader = context.reader
        self._station = context.config.station
        self._pool = pool
        self._runs = runs
        self._pauses: dict[int, tuple[GrowingPause, float]] = {}  # by machine, with the pause's end

    async def run_once(self) -> float:
        """Check every machine of this station. A run watches its own machine, except for the
        position and whether the controller can be reached."""
        at_work = self._runs.machines()
        rows = [
            row for row in await self._reader.read(stored_machines) if row.station == self._station
        ]
        await asyncio.gather(
            *(
                self._check_at_work(row) if row.id in at_work else self._check_at_rest(row)
                for row in rows
            )
        )
        now = asyncio.get_running_loop().time()
        due = [end - now for _, end in self._pauses.values()]
        return max(min([REST_S, *due]), 0.1)

    async def _check_at_work(self, row: MachineRow) -> None:
        await asyncio.gather(self._pool.keep_position(row), self._pool.keep_reach(row))

    async def _check_at_rest(self, row: MachineRow) -> None:
        driver = self._pool.drivers.get(row.id)
        if driver is None:
            self._pauses.pop(row.id, None)
        elif self._pool.is_reached(row.id):
            self._pauses.pop(row.id, None)
            await self._pool.settle(row)
        else:
            await self._reconnect(row)

    async def _reconnect(self, row: MachineRow) -> None:
        """Reconnect after growing pauses with jitter: after a power cut a shop's machines must not
        all connect at once."""
        now = asyncio.get_running_loop().time()
        new = GrowingPause(FIRST_PAUSE_S, LONGEST_PAUSE_S, jitter=0.5)
        pause, end = self._pauses.get(row.id, (new, 0.0))
        if now < end:
            await self._pool.settle(row)
            return
        self._pauses[row.id] = (pause, now + pause.next_s())
        await self._pool.connect(row)
        if self._pool.is_reached(row.id):
            del self._pauses[row.id]
