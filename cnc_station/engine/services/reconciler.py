"""Repair what was lost on the way: answers, hints, connections."""

import asyncio

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.notice import Topic, one_of
from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.driver_pool import DriverPool
from cnc_station.engine.services.lifeline import MARGIN
from cnc_station.engine.services.recovery import Recovery
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.queries.machine_rows import stored_machines

REWIRED = one_of(Topic.MACHINE_REWIRED)
GIVEN_UP = one_of(t.LOST_RETURNED, t.LOST_RETRY, t.LOST_FINAL, t.LOST_INTERRUPTED)

REST_S = 15.0
DOUBT_S = 5.0


class Reconciler(Service):
    """Compares the database with what this station does.

    A claim whose answer was lost has a run without a session. It is settled as after a crash, but
    only after `DOUBT_S`, because its answer may still be on the way. Runs whose lease was lost and
    that still cut are taken back. Machines that were edited or moved here by another station get
    their driver, and those moved away are released, as soon as they have no run.
    """

    wakes_on = (REWIRED, GIVEN_UP)

    def __init__(
        self, context: ServiceContext, runs: ActiveRuns, pool: DriverPool, recovery: Recovery
    ) -> None:
        super().__init__()
        self._reader = context.reader
        self._station = context.config.station
        self._lease_s = context.config.lease_s * (1 - MARGIN)
        self._runs = runs
        self._pool = pool
        self._recovery = recovery
        self._suspected: dict[int, float] = {}

    async def run_once(self) -> float:
        wired = frozenset(self._pool.drivers)  # before the query: one may be added meanwhile
        rows = await self._reader.read(stored_machines)
        own = [row for row in rows if row.station == self._station]
        in_hand = self._runs.in_hand()
        unknown = frozenset(row.run_id for row in own if row.run_id is not None) - in_hand
        now = asyncio.get_running_loop().time()
        self._suspected = {run_id: self._suspected.get(run_id, now) for run_id in unknown}
        lost = [run_id for run_id, since in self._suspected.items() if now - since >= DOUBT_S]
        if lost:
            await self._recovery.settle(self._lease_s, only=lost)
        await self._runs.take_back(self._lease_s)
        for machine_id in wired - {row.id for row in own}:
            await self._pool.drop(machine_id)
        for row in own:
            if not self._pool.fits(row):
                await self._pool.wire(row)
        return DOUBT_S if self._suspected else REST_S
