"""A real database with its writer, and the words to work with it in tests."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from sqlalchemy import Row, Table, select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JOB_ACTIONS, JobAction
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import Capability, MachineSpec
from cnc_station.engine.domain.notice import Notice
from cnc_station.engine.domain.policies import RankPolicy
from cnc_station.engine.domain.states import JobState, MachineState, RunState
from cnc_station.engine.store import schema
from cnc_station.engine.store.claims import Claim
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.jobs import CreateJobs, ReleaseDue
from cnc_station.engine.store.machines import AddMachine, MoveMachine
from cnc_station.engine.store.moves import MoveRun
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.queue_actions import ActOnJob, Before
from cnc_station.engine.store.retention import DeleteExpired
from cnc_station.engine.store.stations import Lead
from cnc_station.engine.store.transaction import StoreCommand
from cnc_station.engine.store.writer import Writer
from tests.invariants import broken

T = TypeVar("T")
FOR_EVER_S = 1e9
START = 1_790_003_400_000  # Monday, 21 September 2026, 15:10 UTC


class Clock:
    """A dialect whose clock the test sets."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.ms = START

    def now(self, _connection: object) -> int:
        return self.ms

    def __eq__(self, other: object) -> bool:  # statements are compiled once per dialect
        return isinstance(other, Clock)

    def __hash__(self) -> int:
        return hash(self._dialect)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dialect, name)


def mill(name: str, **limits: Any) -> MachineSpec:
    """A mill that makes anything, with its capability limited as said."""
    return MachineSpec(name, "mill", capability=Capability("mill", **limits))


class Shop:
    """The store of one station. `notices` are what its commits told; `foreign_commit` is set when
    another station has written."""

    def __init__(self, database: Database, station: str = "A") -> None:
        self.database = database
        self.clock = Clock(database.dialect)
        database.dialect = cast(Dialect, self.clock)
        self.notices: list[Notice] = []
        self.listeners: list[Callable[[Notice], None]] = [self.notices.append]
        self.foreign_commit = threading.Event()
        self.writer = Writer(
            database,
            station=station,
            ranking=RankPolicy(),
            on_commit=self._committed,
            on_foreign_commit=self.foreign_commit.set,
        )

    def _committed(self, notice: Notice) -> None:
        for listener in self.listeners:
            listener(notice)

    async def write(self, change: StoreCommand[T]) -> T:
        return await self.writer.write(change)

    async def create(self, *specs: JobSpec, actor: str = "anna") -> tuple[int, ...]:
        return await self.write(CreateJobs(specs, actor))

    async def job(self, **values: Any) -> int:
        """One queued job for a mill, with anything changed."""
        (job_id,) = await self.create(replace(JobSpec("bracket", "mill"), **values))
        return job_id

    async def act(self, action: JobAction, job_id: int, **more: Any) -> Before:
        return await self.write(ActOnJob(JOB_ACTIONS[action], job_id, "anna", **more))

    async def override(self, job_id: int, state: JobState) -> Before:
        return await self.write(ActOnJob(t.OVERRIDES[state], job_id, "anna", reason="because"))

    async def machine(self, spec: MachineSpec | None = None, *, connected: bool = True) -> int:
        machine_id = await self.write(AddMachine(spec or mill("Mill 1"), "anna"))
        if connected:
            await self.move_machine(t.CONNECTED, machine_id)
        return machine_id

    async def move_machine(
        self, transition: t.Transition, machine_id: int | None, **more: Any
    ) -> None:
        assert machine_id is not None
        await self.write(MoveMachine((transition,), machine_id, "anna", **more))

    async def claim(self, begins_with_claim: Iterable[int] = ()) -> tuple[Claimed, ...]:
        return await self.write(Claim(300.0, begins_with_claim=frozenset(begins_with_claim)))

    async def claim_one(self) -> Claimed:
        (claimed,) = await self.claim()
        return claimed

    async def move(self, transition: t.Transition, run: Claimed, **more: Any) -> None:
        await self.write(move_of(transition, run, **more))

    async def run_to(self, transition: t.Transition, run: Claimed, **more: Any) -> None:
        """Start a claimed run, then end it so."""
        await self.move(t.STARTED, run)
        await self.move(transition, run, **more)

    async def complete(self, job_id: int) -> None:
        """By hand."""
        await self.override(job_id, JobState.COMPLETED)

    async def release_due(self) -> int:
        term = await self.write(Lead("shop", FOR_EVER_S))
        return await self.write(ReleaseDue("shop", term))

    async def expire(self, rule: type[DeleteExpired], days: int, *, most: int = 200) -> int:
        """Delete at most so many that were done more than `days` ago. Return their number."""
        before = self.clock.ms - days * 86_400_000
        ids = self.database.read(partial(rule.find, before=before, most=most))
        return (await self.write(rule(before, ids))).subjects

    def later(self, seconds: float) -> None:
        self.clock.ms += round(seconds * 1000)

    def row(self, table: Table, row_id: int | None) -> Row[Any]:
        return cast(
            Row[Any],
            self.database.read(
                lambda connection: connection.execute(
                    select(table).where(table.c.id == row_id)
                ).one()
            ),
        )

    def job_row(self, job_id: int) -> Row[Any]:
        return self.row(schema.job, job_id)

    def state(self, job_id: int) -> JobState:
        return JobState(self.job_row(job_id).state)

    def run_state(self, run: Claimed) -> RunState:
        return RunState(self.row(schema.run, run.run_id).state)

    def machine_state(self, machine_id: int | None) -> MachineState:
        assert machine_id is not None
        return MachineState(self.row(schema.machine, machine_id).state)

    def events(self, **of: int | None) -> list[Mapping[str, Any]]:
        """Events oldest first; `job_id=1` or `machine_id=1` chooses."""
        query = select(schema.event).order_by(schema.event.c.id)
        for name, value in of.items():
            query = query.where(schema.event.c[name] == value)
        found: Sequence[Row[Any]] = self.database.read(
            lambda connection: connection.execute(query).all()
        )
        return [row._asdict() for row in found]

    def told(self, **of: int | None) -> list[str]:
        """The types of those events."""
        return [event["type"] for event in self.events(**of)]

    def broken(self) -> list[str]:
        found: list[str] = self.database.read(broken)
        return found


def next_due(notice: Notice) -> int | None:
    """The earliest time for which a notice wakes the stager."""
    return min((e.due_at for e in notice.events if e.due_at is not None), default=None)


def frees(notice: Notice) -> bool:
    """Whether a machine may take a job."""
    return any(event.frees_machine for event in notice.events)


def move_of(transition: t.Transition, run: Claimed, **more: Any) -> MoveRun:
    """The change that moves a claimed run."""
    return MoveRun(transition, run.run_id, run.token, run.job_id, run.machine_id, "runner", **more)
