"""What one transaction of the writer gathers: its clock, its events, and what it changed."""

import json
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Table

from cnc_station.engine.domain.errors import Conflict, Fenced, InvalidInput
from cnc_station.engine.domain.policies import RankPolicy
from cnc_station.engine.domain.transitions import Transition
from cnc_station.engine.store import prepared, schema
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.prepared import NOTHING, Rows, Statement, TransactionPreload

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Committed:
    """What a transaction changed: the content of the notices sent after its commit.

    `claimable`: newly queued jobs by machine type. `freed`: some machine may take a job now.
    `next_due`: the earliest time at which a job it delayed is due.
    """

    jobs: frozenset[int]
    machines: frozenset[int]
    claimable: Mapping[str, int]
    freed: bool
    next_due: int | None
    programs: bool
    stations: bool


@dataclass(slots=True)
class Tx:
    """One transaction in the making. Lives on the writer thread; all its writes share `now`."""

    dialect: Dialect
    connection: Connection
    now: int
    station: str
    ranking: RankPolicy
    jobs: set[int] = field(default_factory=set)
    machines: set[int] = field(default_factory=set)
    claimable: Counter[str] = field(default_factory=Counter)
    freed: bool = False
    next_due: int | None = None
    programs: bool = False
    stations: bool = False
    _events: list[dict[str, Any]] = field(default_factory=list)
    _deferred: list[Callable[[], object]] = field(default_factory=list)
    preloaded: dict[Statement, Any] = field(default_factory=dict)

    def record(
        self,
        transition: Transition,
        *,
        actor: str,
        job_id: int | None = None,
        run_id: int | None = None,
        machine_id: int | None = None,
        job_state: str | None = None,
        run_state: str | None = None,
        machine_state: str | None = None,
        trace_id: str = "",
        reason: str = "",
        details: dict[str, Any] | None = None,
    ) -> None:
        """Write down one fact; it is stored with everything else or not at all."""
        if job_id is not None:
            self.jobs.add(job_id)
        if machine_id is not None:
            self.machines.add(machine_id)
        self._events.append(
            {
                "at": self.now,
                "type": transition.name,
                "job_id": job_id,
                "run_id": run_id,
                "machine_id": machine_id,
                "job_state": job_state,
                "run_state": run_state,
                "machine_state": machine_state,
                "actor": actor,
                "station": self.station,
                "trace_id": trace_id,
                "reason": reason,
                "details": json.dumps(details) if details else None,
            }
        )

    def due(self, at: int) -> None:
        """Remember that a job waits until `at`, for the stager."""
        self.next_due = at if self.next_due is None else min(self.next_due, at)

    def ask(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """Execute a statement that is kept (see `prepared`); answers with the driver's cursor.
        Several can be asked `together`; what it was preloaded with is answered already."""
        if statement in self.preloaded:
            return self.preloaded.pop(statement)
        return prepared.execute(self.connection, statement, values)

    def pipeline(self) -> AbstractContextManager[None]:
        """Around statements that are asked for at once, and whose rows are read afterwards."""
        return self.dialect.pipeline(self.connection)

    def defer(self, statement: Statement, values: Mapping[str, Any]) -> None:
        """Execute a statement whose answer nobody needs, in its order with others of that kind,
        but perhaps only when the transaction ends. `settle` before its effect is read."""
        self._deferred.append(partial(self.ask, statement, values))

    def defer_insert(self, table: Table, rows: Rows) -> None:
        """The same for new rows."""
        self._deferred.append(partial(self.dialect.insert, self.connection, table, rows))

    def flush(self) -> None:
        """Execute what was left for later."""
        for execute in self._deferred:
            execute()
        self._deferred = []

    def complete(self) -> None:
        """Send all that was left for later, then the gathered events, in order."""
        self.flush()
        if self._events:
            self.dialect.insert(self.connection, schema.event, self._events)
            self._events = []

    def finish(self) -> None:
        """Flush what ends the transaction. Nothing can be done in it afterwards."""
        with self.dialect.final_flush(self.connection):
            self.complete()

    def branch(self) -> "Tx":
        """The same transaction for one item that may fail alone."""
        return Tx(self.dialect, self.connection, self.now, self.station, self.ranking)

    def join(self, branch: "Tx") -> None:
        """Take over what a branch that went well has changed."""
        self.jobs |= branch.jobs
        self.machines |= branch.machines
        self.claimable.update(branch.claimable)
        self.freed |= branch.freed
        self.programs |= branch.programs
        self.stations |= branch.stations
        if branch.next_due is not None:
            self.due(branch.next_due)

    def committed(self) -> Committed:
        """What to tell the others once it is committed."""
        return Committed(
            frozenset(self.jobs),
            frozenset(self.machines),
            self.claimable,
            self.freed,
            self.next_due,
            self.programs,
            self.stations,
        )


class StoreCommand(Generic[T]):
    """Something to be written. Subclasses are frozen values.

    Changes of one `group` that wait at the same time are applied together, in few statements.
    `touches` keeps the order where it matters: two changes that touch the same thing are never
    reordered. None touches everything.
    """

    __slots__ = ()

    @property
    def group(self) -> Hashable:
        """What it can be merged with."""
        return type(self).__name__

    @property
    def touches(self) -> Sequence[Hashable] | None:
        """The subjects whose order with other changes must be kept."""
        return None

    @classmethod
    def preload(cls, station: str, changes: Sequence[Any]) -> TransactionPreload:  # noqa: ARG003 - for others
        """What they will ask for, with just these values, as the first of a transaction."""
        return NOTHING

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence[Any]) -> list[T | Exception]:
        """Write them all; an answer for each: its result, or the error that is its alone."""
        raise NotImplementedError


class OneByOne(StoreCommand[T]):
    """A command that is seldom asked for: those that wait are written alone, in their order."""

    __slots__ = ()

    def write(self, tx: Tx) -> T:
        """Write it. What it raises is its own answer; it must not have written anything then."""
        raise NotImplementedError

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["OneByOne[T]"]) -> list[T | Exception]:
        """See `StoreCommand.apply`."""
        answers: list[T | Exception] = []
        for change in changes:
            try:
                answers.append(change.write(tx))
            except (Conflict, Fenced, InvalidInput) as error:
                answers.append(error)
        return answers


class JobCommand(OneByOne[T]):
    """One whose order with others of its job must be kept."""

    __slots__ = ()
    job_id: int

    @property
    def touches(self) -> Sequence[Hashable]:
        """Its job."""
        return (("job", self.job_id),)


class MachineCommand(OneByOne[T]):
    """One whose order with others of its machine must be kept."""

    __slots__ = ()
    machine_id: int

    @property
    def touches(self) -> Sequence[Hashable]:
        """Its machine."""
        return (("machine", self.machine_id),)
