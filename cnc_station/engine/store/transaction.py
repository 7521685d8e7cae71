"""One transaction of the writer: its clock, its writes and its events."""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Table

from cnc_station.engine.domain.errors import Conflict, Fenced, InvalidInput
from cnc_station.engine.domain.notice import Notice, NoticeEvent, Topic
from cnc_station.engine.domain.policies import RankPolicy
from cnc_station.engine.domain.transitions import Transition
from cnc_station.engine.store import prepared, schema
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.prepared import NOTHING, Rows, Statement, TransactionPreload
from cnc_station.engine.store.webhook_listeners import WebhookListeners, queue_deliveries

T = TypeVar("T")


@dataclass(slots=True)
class Tx:
    """One transaction in progress on the writer thread; all its writes share `now`."""

    dialect: Dialect
    connection: Connection
    now: int
    station: str
    ranking: RankPolicy
    _rows: list[dict[str, Any]] = field(default_factory=list)
    events: list[NoticeEvent] = field(default_factory=list)
    written: list[dict[str, Any]] = field(default_factory=list)  # the rows of events, in order
    _deferred: list[Callable[[], object]] = field(default_factory=list)
    preloaded: dict[Statement, Any] = field(default_factory=dict)
    listeners: WebhookListeners = field(default_factory=WebhookListeners)

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
        tenant: str | None = None,
        machine_type: str | None = None,
        due_at: int | None = None,
        frees_machine: bool = False,
        handler: str | None = None,
    ) -> None:
        """Record one event. What follows `details` is for the notice only (see `NoticeEvent`)."""
        self.events.append(
            NoticeEvent(
                transition.name,
                self.station,
                job_id,
                run_id,
                machine_id,
                tenant,
                job_state,
                run_state,
                machine_state,
                machine_type,
                due_at,
                frees_machine,
                handler,
            )
        )
        self._rows.append(
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
                "role": getattr(actor, "role", None) or None,
                "origin": getattr(actor, "origin", None) or None,
            }
        )

    def notify(
        self,
        topic: Topic,
        *,
        job_id: int | None = None,
        machine_id: int | None = None,
        tenant: str | None = None,
        due_at: int | None = None,
    ) -> None:
        """Add a fact to the notice that no stored event records."""
        self.events.append(
            NoticeEvent(topic, self.station, job_id, None, machine_id, tenant=tenant, due_at=due_at)
        )

    def ask(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """Execute a cached statement (see `prepared`) and return the driver's cursor. Inside
        `pipeline` several are sent at once; a preloaded statement is already answered."""
        if statement in self.preloaded:
            return self.preloaded.pop(statement)
        return prepared.execute(self.connection, statement, values)

    def pipeline(self) -> AbstractContextManager[None]:
        """Send all statements executed inside at once; their rows are read afterwards."""
        return self.dialect.pipeline(self.connection)

    def defer(self, statement: Statement, values: Mapping[str, Any]) -> None:
        """Execute a statement without rows in order with the other deferred ones, at the latest
        when the transaction ends. Call `flush` before its effect is read."""
        self._deferred.append(partial(self.ask, statement, values))

    def defer_insert(self, table: Table, rows: Rows) -> None:
        self._deferred.append(partial(self.dialect.insert, self.connection, table, rows))

    def flush(self) -> None:
        for execute in self._deferred:
            execute()
        self._deferred = []

    def complete(self) -> None:
        """Flush the deferred statements, then insert the recorded events in order, and their
        deliveries to webhooks."""
        self.listeners.refresh(self.dialect, self.connection, self._rows)
        self._complete()

    def finish(self) -> None:
        """Write everything that is left, with the commit. Nothing may be written afterwards."""
        self.listeners.refresh(self.dialect, self.connection, self._rows)
        with self.dialect.final_flush(self.connection):
            self._complete()

    def _complete(self) -> None:
        self.flush()
        if not self._rows:
            return
        self.dialect.insert(self.connection, schema.event, self._rows)
        if items := self.listeners.items(self._rows):
            queue_deliveries(self.dialect, self.connection, items)
            self.notify(Topic.DELIVERIES_QUEUED)
        self.written += self._rows
        self._rows = []

    def branch(self) -> "Tx":
        """Return a transaction for one command that may fail alone."""
        return Tx(
            self.dialect,
            self.connection,
            self.now,
            self.station,
            self.ranking,
            listeners=self.listeners,
        )

    def join(self, branch: "Tx") -> None:
        """Take over the events of a branch that succeeded."""
        self.events += branch.events
        self.written += branch.written

    def notice(self) -> Notice:
        return Notice.of(*self.events)


class StoreCommand(Generic[T]):
    """A frozen value that describes one write.

    Commands of one `group` that wait at the same time are applied together, in few statements. Two
    commands that touch the same subject are never reordered; None touches everything.
    """

    __slots__ = ()

    @property
    def group(self) -> Hashable:
        return type(self).__name__

    @property
    def touches(self) -> Sequence[Hashable] | None:
        return None

    @classmethod
    def preload(cls, station: str, commands: Sequence[Any]) -> TransactionPreload:  # noqa: ARG003 - for subclasses
        """What these commands query first, if they open a transaction."""
        return NOTHING

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence[Any]) -> list[T | Exception]:
        """Write all of them; return for each its result, or the error that is its alone."""
        raise NotImplementedError


class OneByOne(StoreCommand[T]):
    """A rare command: those that wait are written one after the other, in order."""

    __slots__ = ()

    def write(self, tx: Tx) -> T:
        """Write it. Conflict, Fenced and InvalidInput must be raised before anything is written."""
        raise NotImplementedError

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence["OneByOne[T]"]) -> list[T | Exception]:
        answers: list[T | Exception] = []
        for command in commands:
            try:
                answers.append(command.write(tx))
            except (Conflict, Fenced, InvalidInput) as error:
                answers.append(error)
        return answers


class JobCommand(OneByOne[T]):
    """A command whose order with others of its job is kept."""

    __slots__ = ()
    job_id: int

    @property
    def touches(self) -> Sequence[Hashable]:
        return (("job", self.job_id),)


class MachineCommand(OneByOne[T]):
    """A command whose order with others of its machine is kept."""

    __slots__ = ()
    machine_id: int

    @property
    def touches(self) -> Sequence[Hashable]:
        return (("machine", self.machine_id),)
