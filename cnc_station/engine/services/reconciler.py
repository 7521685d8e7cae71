"""Makes up for what was lost on the way: answers, hints, connections."""

import random

from cnc_station.engine.domain.retry import RetryPolicy
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.services.fleet import Fleet
from cnc_station.engine.services.pen import Pen
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.recovery import recover
from cnc_station.engine.services.runner import Runner
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.queries.machine_rows import machines

REST_S = 15.0


class Reconciler(Service):
    """Compares what the database says of this station with what the station does.

    A claim whose answer was lost with the connection has a run that nobody drives: it is settled
    like one left over by a crash, on the second look, so that none in flight is taken for lost.
    Machines that others set offline while this station was not heard of, or gave to it, are
    connected.
    """

    def __init__(
        self,
        pen: Pen,
        reader: Reader,
        runner: Runner,
        fleet: Fleet,
        station: str,
        retry: RetryPolicy,
    ) -> None:
        super().__init__()
        self._pen = pen
        self._reader = reader
        self._runner = runner
        self._fleet = fleet
        self._station = station
        self._retry = retry
        self._suspected: frozenset[int] = frozenset()

    async def run_once(self) -> float:
        """One look at everything that is this station's."""
        rows = await self._reader.read(machines)
        own = [row for row in rows if row.station == self._station]
        driven = frozenset(self._runner.run_ids())
        unknown = frozenset(row.run_id for row in own if row.run_id is not None) - driven
        lost = unknown & self._suspected
        self._suspected = unknown
        if lost:
            await recover(
                self._pen,
                self._reader,
                self._fleet.drivers,
                station=self._station,
                retry=self._retry,
                chance=random.random,
                only=lost,
            )
        at_work = self._runner.machines()
        for row in own:
            if row.state is MachineState.OFFLINE and row.id not in at_work:
                if row.id not in self._fleet.drivers:
                    self._fleet.make(row.id, row.spec)
                await self._fleet.connect(row.id, row.state)
        return REST_S
