"""Short words for working with a whole engine, and a controller that does as the test says."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.domain.event import Actor
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import OnLoss, Order, RunAborted
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.views import Answer, JobRow, Telemetry
from tests.invariants import broken
from tests.until import until

ME = Actor("tester")
MILL = MachineSpec("Mill 1", "mill", capability=Capability("mill"))


class FloorOf:
    """What a test does with an engine."""

    def __init__(self, engine: StationEngine) -> None:
        self.engine = engine

    async def mill(self, name: str = "Mill 1", **values: Any) -> int:
        return await self.engine.add_machine(replace(MILL, name=name, **values), ME)

    async def job(self, **values: Any) -> int:
        spec = replace(JobSpec("bracket", "mill", estimated_s=1.0), **values)
        (job_id,) = await self.engine.submit([spec], ME)
        return job_id

    async def row(self, job_id: int) -> JobRow:
        (row,) = await self.engine.jobs_by_id([job_id])
        return row

    async def comes_to(self, job_id: int, state: JobState, seconds: float = 10.0) -> JobRow:
        """Wait until the job is in this state."""

        async def there() -> JobRow | None:
            row = await self.row(job_id)
            return row if row.state is state else None

        found = await until(there, seconds)
        assert found is not None
        return found

    async def machine_comes_to(self, machine_id: int, state: MachineState) -> None:
        async def there() -> bool:
            return await self.machine_state(machine_id) is state

        await until(there)

    async def machine_state(self, machine_id: int) -> MachineState:
        return next(row.state for row in await self.engine.machines() if row.id == machine_id)

    async def act(self, action: str, job_id: int, **arguments: Any) -> Answer:
        (answer,) = await self.engine.act(JobAction(action), [job_id], ME, **arguments)
        return answer

    async def act_on_machine(self, action: str, machine_id: int) -> None:
        await self.engine.act_on_machine(MachineAction(action), machine_id, ME)

    async def told(self, job_id: int) -> list[str]:
        return [event.type for event in await self.engine.events(job_id=job_id)]

    async def broken(self) -> list[str]:
        return await self.engine._reader.read(broken)


class Controller:
    """Implements `Driver`: a run ends when the test says how; it notes what it was asked."""

    on_loss = OnLoss.INTERRUPT

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.asked: list[str] = []
        self.refuses: dict[str, CncStationError] = {}
        self.closed = False
        self._end: asyncio.Future[None] | None = None

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if what in self.refuses:
            raise self.refuses[what]

    def end(self, error: BaseException | None = None) -> None:
        """The run in hand is over."""
        assert self._end is not None
        if error is None:
            self._end.set_result(None)
        else:
            self._end.set_exception(error)

    async def connect(self) -> None:
        self._note("connect")

    async def close(self) -> None:
        self.closed = True

    async def run(self, order: Order) -> None:
        self._end = asyncio.get_running_loop().create_future()
        self.orders.append(order)
        self._note("run")
        await self._end

    async def hold(self) -> None:
        self._note("hold")

    async def resume(self) -> None:
        self._note("resume")

    async def abort(self) -> None:
        self._note("abort")
        if self._end is not None and not self._end.done():
            self._end.set_exception(RunAborted("aborted"))

    def telemetry(self) -> Telemetry | None:
        return None


def factory(controller: Controller) -> Callable[[dict[str, object]], Controller]:
    """A driver factory that always gives this controller."""
    return lambda _settings: controller
