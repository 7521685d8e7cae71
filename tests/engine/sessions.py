"""Run sessions without a whole engine: any writer, machines that are wired for good."""

from collections.abc import Mapping
from typing import Any, cast

from cnc_station.engine.domain.policies import RetryPolicy
from cnc_station.engine.drivers.base import Driver
from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.driver_pool import DriverPool
from cnc_station.engine.services.library import Library
from cnc_station.engine.services.metrics import StationMetrics
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_ending import Judge
from cnc_station.engine.services.worker_slots import WorkerSlots


class _Pool:
    def __init__(self, drivers: Mapping[int, Driver]) -> None:
        self.drivers = drivers

    def lease(self, machine_id: int) -> Driver:
        return self.drivers[machine_id]

    def release(self, machine_id: int, *, refused: bool) -> None: ...


def runs_of(writer: object, drivers: Mapping[int, Driver]) -> ActiveRuns:
    """The runs of a station with these machines; their jobs have no programs."""
    library = Library(cast(Any, None))
    pool = cast(DriverPool, _Pool(drivers))
    slots = WorkerSlots({}, 0, lambda: None)
    judge = Judge(RetryPolicy())
    return ActiveRuns(cast(RetryingWriter, writer), library, pool, slots, judge, StationMetrics())
