"""Create jobs, release them when they are due, and unblock their successors."""

import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    exists,
    false,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, Fenced, FieldError, InvalidInput
from cnc_station.engine.domain.job import EDITABLE, JobSpec, check_keys
from cnc_station.engine.domain.notice import Topic
from cnc_station.engine.domain.random_id import random_id
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.dialect import Dialect, packed
from cnc_station.engine.store.prepared import TransactionPreload
from cnc_station.engine.store.schema import (
    delayed_and_free,
    dependency,
    job,
    machine,
    named,
    program,
)
from cnc_station.engine.store.stations import leads
from cnc_station.engine.store.transaction import OneByOne, StoreCommand, Tx

MOST_RELEASED_AT_ONCE = 500
_AS_GIVEN = tuple(sorted(EDITABLE - {"envelope", "estimated_s", "payload", "not_before"}))
_as_given = attrgetter(*_AS_GIVEN)
_SEARCHED = ("name", "operation", "work_order", "customer", "external_id", "material")


@dataclass(frozen=True, slots=True)
class CreateJobs(StoreCommand[tuple[int, ...]]):
    """Store validated specs, all or none, each with its first event. Returns their ids.

    `schedule_id` is the schedule that makes them, `trace_id` the trace of them all; without one
    each gets its own. Raises InvalidInput if a spec refers to something that does not exist,
    Conflict if a job of its tenant has its external id already.
    """

    specs: tuple[JobSpec, ...]
    actor: str
    schedule_id: int | None = None
    trace_id: str = ""

    @property
    def touches(self) -> Sequence[Hashable]:
        """New jobs have no other writer yet; the order with their predecessors must be kept."""
        return tuple(("job", before) for spec in self.specs for before in spec.after)

    @classmethod
    def preload(cls, station: str, commands: Sequence["CreateJobs"]) -> TransactionPreload:  # noqa: ARG003 - the same at every station
        return TransactionPreload(numbers={job: sum(len(command.specs) for command in commands)})

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence["CreateJobs"]) -> list[tuple[int, ...] | Exception]:
        """Reserve the ids, then insert everything in three bulk statements. External ids are
        checked by their unique index, in a savepoint."""
        for command in commands:
            check_keys(command.specs)
        wanted = [spec for command in commands for spec in command.specs]
        check_references(tx, wanted)
        ids = iter(tx.dialect.reserve(tx.connection, job, len(wanted)))
        answers: list[tuple[int, ...] | Exception] = []
        rows: list[dict[str, Any]] = []
        edges: list[dict[str, int]] = []
        after_others: list[int] = []  # their predecessors may all be completed; new ones can't be
        for command in commands:
            own = tuple(next(ids) for _ in command.specs)
            answers.append(own)
            keys = {s.key: i for s, i in zip(command.specs, own, strict=True) if s.key}
            for spec, job_id in zip(command.specs, own, strict=True):
                before = (*spec.after, *(keys[key] for key in spec.after_keys))
                edges += [{"job_id": job_id, "predecessor_id": p} for p in dict.fromkeys(before)]
                if before and not spec.after_keys:
                    after_others.append(job_id)
                row = _new_row(tx, spec, job_id, len(rows), blocked=bool(before))
                row["trace_id"] = command.trace_id or random_id()
                row |= {"schedule_id": command.schedule_id, "owner": command.actor}
                row["account_id"] = getattr(command.actor, "account", None)
                rows.append(row)
                _record_new(tx, command.actor, spec, row)
        if any(spec.external_id for spec in wanted):
            with refusing_taken_names(tx, wanted):
                tx.dialect.insert(tx.connection, job, rows)
        else:
            tx.defer_insert(job, rows)
        if edges:
            tx.flush()
            tx.dialect.insert(tx.connection, dependency, edges)
            unblock(tx, after_others)
            release_due(tx)
        return answers


@contextmanager
def refusing_taken_names(tx: Tx, specs: Iterable[JobSpec]) -> Iterator[None]:
    """Write inside jobs with external ids. Raises Conflict that names the job of another one's
    external id; the transaction goes on as if nothing had been written."""
    tx.flush()
    try:
        with tx.connection.begin_nested():
            yield
    except IntegrityError:
        for spec in specs:
            if (taken := _job_of(tx, spec)) is not None:
                raise Conflict(f"{spec.external_id} is already job {taken}.") from None
        raise  # two commands of this transaction, which are written one by one now


def _job_of(tx: Tx, spec: JobSpec) -> int | None:
    own = (job.c.external_id == spec.external_id) & (job.c.tenant == spec.tenant)
    query = select(job.c.id).where(own, named(job.c.external_id))
    found: int | None = tx.connection.execute(query).scalar() if spec.external_id else None
    return found


def check_references(tx: Tx, specs: Iterable[JobSpec]) -> None:
    """Raise InvalidInput for a program, predecessor or pinned machine that does not exist."""
    for name, column, wanted in (
        ("program", program.c.sha256, {s.program for s in specs if s.program}),
        ("after", job.c.id, {p for s in specs for p in s.after}),
        (
            "pinned_machine_id",
            machine.c.id,
            {s.pinned_machine_id for s in specs if s.pinned_machine_id is not None},
        ),
    ):
        if wanted and (missing := wanted - _lock_existing(tx, column, wanted)):
            text = ", ".join(sorted(str(m)[:12] for m in missing))
            raise InvalidInput(FieldError(name, f"there is no {text}"))


def _lock_existing(tx: Tx, column: ColumnElement[Any], wanted: Iterable[Any]) -> set[Any]:
    """Locked: a predecessor that completes meanwhile would not see its new successor."""
    item = tx.dialect.items("item", value=type(column.type))
    query = select(column).where(column.in_(select(item.c.value))).with_for_update(read=True)
    rows = tx.connection.execute(query, {"item": packed([[value] for value in wanted])})
    return set(rows.scalars())


def _new_row(tx: Tx, spec: JobSpec, job_id: int, place: int, *, blocked: bool) -> dict[str, Any]:
    later = spec.not_before is not None and spec.not_before > tx.now
    if spec.draft:
        state = JobState.DRAFT
    elif blocked or later:
        state = JobState.DELAYED
    else:
        state = JobState.QUEUED
    queued_at = max(tx.now, spec.not_before or 0)
    return {
        "id": job_id,
        "version": 1,
        **stored_fields(spec),
        "state": state.value,
        "state_since": tx.now,
        # 1 ms apart: jobs of one submission keep their order, and others fit between them.
        "rank": tx.ranking.rank(queued_at, spec.priority, spec.due_at) + place,
        "not_before": spec.not_before or tx.now,
        "blocked": blocked,
        "machine_id": None,
        "run_id": None,
        "token": 0,
        "attempt": 0,
        "failures": 0,
        "last_error": "",
        "created_at": tx.now,
        "finished_at": None,
    }


def stored_fields(spec: JobSpec) -> dict[str, Any]:
    """The columns of a spec that an edit may change."""
    size = spec.envelope
    return {
        **dict(zip(_AS_GIVEN, _as_given(spec), strict=True)),
        "size_x": size.x if size else None,
        "size_y": size.y if size else None,
        "size_z": size.z if size else None,
        "estimated_s": float(spec.estimated_s),
        "payload": json.dumps(dict(spec.payload)),
        # Must end with the material: claims search for it here.
        "search": " ".join(getattr(spec, name) for name in _SEARCHED).lower(),
    }


def _record_new(tx: Tx, actor: str, spec: JobSpec, row: dict[str, Any]) -> None:
    state = row["state"]
    tx.record(
        t.DRAFTED if spec.draft else t.CREATED,
        actor=actor,
        job_id=row["id"],
        job_state=state,
        trace_id=row["trace_id"],
        reason=spec.source,
        tenant=spec.tenant,
        machine_type=spec.machine_type if state == JobState.QUEUED else None,
        due_at=row["not_before"] if state == JobState.DELAYED else None,
        handler=spec.handler,
    )


@dataclass(frozen=True, slots=True)
class ReleaseDue(OneByOne[int]):
    """Queue the delayed jobs that are due; only by the leader. Returns their number.

    Raises Fenced if this station no longer leads in `term`.
    """

    incarnation: str
    term: int

    def write(self, tx: Tx) -> int:
        if not leads(tx, self.incarnation, self.term):
            raise Fenced("another station leads")
        return release_due(tx)


def release_due(tx: Tx) -> int:
    """Queue the delayed jobs that are due and wait for no predecessor."""
    released = tx.connection.execute(_release_due(), {"now": tx.now}).all()
    for row in released:
        tx.record(
            t.RELEASED,
            actor="stager",
            job_id=row.id,
            job_state=JobState.QUEUED,
            trace_id=row.trace_id,
            details={"failures": row.failures} if row.failures else None,
            tenant=row.tenant,
            machine_type=row.machine_type,
        )
    return len(released)


@cache
def _release_due() -> ReturningUpdate[Any]:
    now = bindparam("now", type_=BigInteger)
    due = (
        select(job.c.id)
        .where(delayed_and_free, job.c.not_before <= now)
        .order_by(job.c.not_before)
        .limit(MOST_RELEASED_AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(job)
        .where(job.c.id.in_(select(due.c.id)), job.c.state == JobState.DELAYED.value)
        .values(state=JobState.QUEUED.value, state_since=now, version=job.c.version + 1)
        .returning(job.c.id, job.c.trace_id, job.c.tenant, job.c.machine_type, job.c.failures)
    )


def ask_successors(tx: Tx, completed: Iterable[int]) -> Any:
    """Query the successors of these jobs: a cursor for `unblock_successors`. Most jobs have none,
    and then a completion costs only this query."""
    return tx.ask(_successors(tx.dialect), _items(completed))


def unblock_successors(tx: Tx, found: Sequence[tuple[int]]) -> bool:
    """Unblock the successors whose predecessors are all completed. Returns whether there was one to
    check.

    They are locked first and checked in a second statement: if two stations complete the last two
    predecessors of a job at the same time, the later one must see the other's.
    """
    if not found:
        return False
    after = _items(job_id for (job_id,) in found)
    waiting = [job_id for (job_id,) in tx.ask(_still_blocked(tx.dialect), after).fetchall()]
    if waiting:
        unblock(tx, waiting)
    return bool(waiting)


def _items(job_ids: Iterable[int]) -> dict[str, str]:
    return {"item": packed([[job_id] for job_id in job_ids])}


@cache
def _successors(dialect: Dialect) -> Select[int]:
    item = dialect.items("item", job_id=BigInteger)
    return select(dependency.c.job_id).where(dependency.c.predecessor_id == item.c.job_id)


@cache
def _still_blocked(dialect: Dialect) -> Select[int]:
    item = dialect.items("item", job_id=BigInteger)
    return (
        select(job.c.id)
        .where(job.c.id.in_(select(item.c.job_id)), job.c.blocked)
        .order_by(job.c.id)
        .with_for_update()
    )


def unblock(tx: Tx, job_ids: Iterable[int]) -> None:
    """Unblock those of these jobs whose predecessors are all completed."""
    ids = sorted(job_ids)
    for start in range(0, len(ids), 500):
        freed = tx.connection.execute(
            update(job)
            .where(job.c.id.in_(ids[start : start + 500]), job.c.blocked, ~_waits_for_another())
            .values(blocked=false(), version=job.c.version + 1)
            .returning(job.c.id, job.c.tenant, job.c.state, job.c.not_before)
        )
        for row in freed:
            due_at = row.not_before if row.state == JobState.DELAYED else None
            tx.notify(Topic.JOB_UNBLOCKED, job_id=row.id, tenant=row.tenant, due_at=due_at)


def _waits_for_another() -> Any:
    before = job.alias("before")
    return exists(
        select(true())
        .select_from(dependency.join(before, before.c.id == dependency.c.predecessor_id))
        .where(dependency.c.job_id == job.c.id, before.c.state != JobState.COMPLETED.value)
        .correlate(job)
    )
