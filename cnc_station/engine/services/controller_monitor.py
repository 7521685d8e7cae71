"""Watches the controllers of machines without a run: what they say is said on the floor, and one
that is lost is reached again."""

import asyncio

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.notice import one_of
from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.driver_pool import DriverPool
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.reconciler import GIVEN_UP, REWIRED
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.queries.machine_rows import stored_machines
from cnc_station.engine.timing import GrowingPause
from cnc_station.engine.views import MachineRow

REST_S = 15.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0


class ControllerMonitor(Service):
    """Woken by news from a controller; compares all of them with what is written."""

    wakes_on = (REWIRED, GIVEN_UP, one_of(t.DISCONNECTED))

    def __init__(self, reader: Reader, fleet: DriverPool, runs: ActiveRuns, station: str) -> None:
        super().__init__()
        self._reader = reader
        self._pool = fleet
        self._runs = runs
        self._station = station
        self._pauses: dict[int, tuple[GrowingPause, float]] = {}  # machine: pauses, this one's end

    async def run_once(self) -> float:
        """One look at every machine of this station; a run looks after its own, but for what is
        known of its position, and whether it can be reached."""
        at_work = self._runs.machines()
        rows = [
            row for row in await self._reader.read(stored_machines) if row.station == self._station
        ]
        await asyncio.gather(
            *(
                self._look_at_work(row) if row.id in at_work else self._look_after(row)
                for row in rows
            )
        )
        now = asyncio.get_running_loop().time()
        due = [end - now for _, end in self._pauses.values()]
        return max(min([REST_S, *due]), 0.1)

    async def _look_at_work(self, row: MachineRow) -> None:
        await asyncio.gather(self._pool.keep_position(row), self._pool.keep_reach(row))

    async def _look_after(self, row: MachineRow) -> None:
        driver = self._pool.drivers.get(row.id)
        if driver is None:
            self._pauses.pop(row.id, None)
        elif self._pool.is_reached(row.id):
            self._pauses.pop(row.id, None)
            await self._pool.settle(row)
        else:
            await self._reach_again(row)

    async def _reach_again(self, row: MachineRow) -> None:
        """With growing pauses, each a little different, so that a shop's machines do not all ask
        at once after a power cut."""
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
