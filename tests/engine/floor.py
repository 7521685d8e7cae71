"""Short words for working with a whole engine, and a controller that does as the test says."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Update

from cnc_station.engine.commands import ActOnJobs, ActOnMachine, AddMachine, SubmitJobs
from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import CncStationError, Unavailable
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import (
    Capability,
    MachineSpec,
    Position,
    PositionBasis,
    PositionMemory,
)
from cnc_station.engine.domain.principal import local_principal
from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.drivers.base import (
    Driver,
    DriverKind,
    OnLoss,
    Order,
    RunAborted,
    RunInspection,
    RunOutcome,
)
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import JobsById, ListEvents, ListMachines
from cnc_station.engine.services.active_runs import ActiveRuns
from cnc_station.engine.services.reader import Reader
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.supervisor import ServiceSupervisor
from cnc_station.engine.views import (
    Abilities,
    Answer,
    Doing,
    DriverInfo,
    Identity,
    JobRow,
    Message,
    Status,
)
from tests.invariants import broken
from tests.until import PATIENCE_S, until

ME = local_principal("tester")
MILL = MachineSpec("Mill 1", "mill", capability=Capability("mill"))


S = TypeVar("S", bound=Service)


def supervisor_of(engine: StationEngine) -> ServiceSupervisor:
    """The services of a started station."""
    assert engine.supervisor is not None
    return engine.supervisor


def service_of(engine: StationEngine, kind: type[S]) -> S:
    """The service of this kind that a started station has."""
    return next(one for one in supervisor_of(engine).services if isinstance(one, kind))


def by_hand(engine: StationEngine, *statements: Update) -> None:
    """Change rows behind the back of a started station."""
    database = Database(supervisor_of(engine).context.config.database_url)
    with closing(database), closing(database.connect_writer()) as connection, connection.begin():
        for statement in statements:
            connection.execute(statement)


class FloorOf:
    """What a test does with an engine."""

    def __init__(self, engine: StationEngine) -> None:
        self.engine = engine
        self.door = engine.door(ME)

    async def mill(self, name: str = "Mill 1", **values: Any) -> int:
        return await self.door.execute(AddMachine(replace(MILL, name=name, **values)))

    async def job(self, **values: Any) -> int:
        spec = replace(JobSpec("bracket", "mill", estimated_s=1.0), **values)
        (job_id,) = await self.door.execute(SubmitJobs([spec]))
        return job_id

    async def row(self, job_id: int) -> JobRow:
        (row,) = await self.door.ask(JobsById([job_id], with_next=True))
        return row

    async def comes_to(self, job_id: int, state: JobState, seconds: float = PATIENCE_S) -> JobRow:
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
        return next(
            row.state for row in await self.door.ask(ListMachines()) if row.id == machine_id
        )

    async def act(self, action: str, job_id: int, **arguments: Any) -> Answer:
        (answer,) = await self.door.execute(ActOnJobs(JobAction(action), [job_id], **arguments))
        return answer

    async def act_on_machine(self, action: str, machine_id: int) -> None:
        await self.door.execute(ActOnMachine(MachineAction(action), machine_id))

    async def told(self, job_id: int) -> list[str]:
        return [event.type for event in await self.door.ask(ListEvents(job_id=job_id))]

    @property
    def runs(self) -> ActiveRuns:
        """What its station has in hand."""
        return supervisor_of(self.engine).active_runs

    @property
    def writer(self) -> RetryingWriter:
        """What the services of its station write with."""
        return supervisor_of(self.engine).context.writer

    @property
    def reader(self) -> Reader:
        """What the services of its station read with."""
        return supervisor_of(self.engine).context.reader

    @property
    def drivers(self) -> dict[int, Driver]:
        """Of the machines that are wired to its station."""
        return supervisor_of(self.engine).pool.drivers

    def service(self, kind: type[S]) -> S:
        """The service of this kind that its station has."""
        return service_of(self.engine, kind)

    async def write(self, command: StoreCommand[Any]) -> None:
        """What a service of the engine would write."""
        await self.writer.write(command)

    async def broken(self) -> list[str]:
        return await self.reader.read(broken)


class Controller:
    """Implements `Driver`: a run ends when the test says how; it notes what it was asked. `found`
    is what it says of a run that nobody watched; what it `hangs` on it never does."""

    on_loss = OnLoss.INTERRUPT
    abilities = Abilities(outlives=False)

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.asked: list[str] = []
        self.recalled: list[PositionMemory | None] = []
        self.sets: tuple[str, ...] = ()
        self.refuses: dict[str, CncStationError] = {}
        self.hangs: set[str] = set()
        self.found = RunInspection(RunOutcome.STOPPED, "the station went down while it ran")
        self.unlocks_to = Status(Doing.READY)
        self.closed = False
        self._status = Status(Doing.READY)
        self._listeners: list[Callable[[Status], None]] = []
        self._end: asyncio.Future[None] | None = None
        self._begun: asyncio.Event | None = None

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if what in self.refuses:
            raise self.refuses[what]

    @property
    def cutting(self) -> bool:
        """Whether it was started, which is later than when that is written, and is not over."""
        return self._end is not None and not self._end.done()

    def end(self, error: BaseException | None = None) -> None:
        """The part in hand is over."""
        assert self._end is not None
        self._status = Status(Doing.ALARM if getattr(error, "alarm", False) else Doing.READY)
        if error is None:
            self._end.set_result(None)
        else:
            self._end.set_exception(error)

    def break_off(self, error: CncStationError) -> None:
        """The connection is lost in the middle of a part."""
        assert self._end is not None
        ended, self._end = self._end, None
        self.does(Doing.UNREACHABLE, str(error))
        ended.set_exception(error)

    def does(self, doing: Doing, why: str = "") -> None:
        """By itself, or because of somebody at its panel."""
        self._status = Status(doing, why, position=self._status.position)
        for listener in tuple(self._listeners):
            listener(self._status)

    async def connect(self) -> Identity:
        self._note("connect")
        if self._status.doing is Doing.UNREACHABLE:
            self._status = Status(Doing.READY)
        return Identity("Scripted")

    async def close(self) -> None:
        self.closed = True

    def recall(self, memory: PositionMemory | None) -> None:
        self.recalled.append(memory)

    def memory(self) -> PositionMemory | None:
        position = self._status.position
        return None if position is None else PositionMemory(position, "mark")

    async def confirm_position(self) -> None:
        self._note("confirm_position")
        confirmed = Position(PositionBasis.CONFIRMED, "work zero confirmed")
        self._status = replace(self._status, doing=Doing.READY, why="", position=confirmed)

    def knows(self, position: Position) -> None:
        """Of its position; nothing can be started while that is not known."""
        doing, why = (Doing.READY, "") if position.known else (Doing.NOT_READY, position.reason)
        self._status = replace(self._status, doing=doing, why=why, position=position)
        for listener in tuple(self._listeners):
            listener(self._status)

    def loses(self, position: Position) -> None:
        """In the middle of what it does."""
        self._status = replace(self._status, position=position)
        for listener in tuple(self._listeners):
            listener(self._status)

    async def load(self, order: Order, part: int) -> tuple[str, ...]:
        self.orders.append(order)
        self._note(f"load {part}")
        return self.sets

    def at_panel(self) -> None:
        """From now on `start` waits until somebody has begun it at the panel."""
        self._begun = asyncio.Event()

    def begin(self) -> None:
        """At the panel."""
        assert self._begun is not None
        self._begun.set()

    async def start(self) -> None:
        self._note("start")
        if "start" in self.hangs:
            await asyncio.Event().wait()
        if self._begun is not None:
            await self._begun.wait()
        self._end = asyncio.get_running_loop().create_future()
        self.does(Doing.RUNNING)

    async def ended(self) -> None:
        if self._status.doing is Doing.UNREACHABLE:
            raise Unavailable(self._status.why)
        if self._end is None:
            self._end = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._end)  # the machine goes on when its station is gone

    async def hold(self) -> None:
        self._note("hold")
        self.does(Doing.HELD)

    async def resume(self) -> None:
        self._note("resume")
        self.does(Doing.RUNNING)

    async def abort(self) -> None:
        self._note("abort")
        if self._end is not None and not self._end.done():
            self._end.set_exception(RunAborted("aborted"))
        self._status = Status(Doing.READY)

    async def unlock(self) -> None:
        self._note("unlock")
        self.does(self.unlocks_to.doing, self.unlocks_to.why)

    async def inspect_run(self, order: Order) -> RunInspection:
        self.orders.append(order)
        self._note("look")
        return self.found

    def status(self) -> Status:
        return self._status

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def traffic(self) -> Sequence[Message]:
        return ()


def kind_of(
    make: Callable[[], Driver], *, name: str = "scripted", watches: bool = False
) -> DriverKind:
    """A driver that the registry can offer; one that `watches` can start nothing."""
    info = DriverInfo(name, name.title(), abilities=Abilities(starts=not watches))
    return DriverKind(info, lambda _settings: make())
