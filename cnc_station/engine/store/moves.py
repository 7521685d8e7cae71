"""Moves of live runs, with their jobs and machines: set-based, guarded by id, token and state."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    Text,
    Update,
    bindparam,
    case,
    false,
    literal_column,
    null,
    select,
    update,
)

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import AlreadyDone, Conflict, Fenced
from cnc_station.engine.domain.states import (
    LIVE_RUNS,
    WAITING_JOBS,
    JobState,
    MachineState,
    RunState,
)
from cnc_station.engine.store.database import Dialect, packed
from cnc_station.engine.store.jobs import release_due, unblock_successors
from cnc_station.engine.store.schema import found_in, job, machine, run
from cnc_station.engine.store.taking_up import still_there, undecided
from cnc_station.engine.store.transaction import Change, Tx

_TO_MAINTENANCE = (machine.c.maintenance_due, MachineState.MAINTENANCE.value)
_RESTING_UNTOUCHED = case(_TO_MAINTENANCE, else_=MachineState.IDLE.value)


@dataclass(frozen=True, slots=True)
class MoveRun(Change[None]):
    """One named transition of a live run. `token` proves the right to it.

    Raises Fenced if the token is stale, Conflict if the run's state does not allow it.
    `backoff_s` is how long a failed job waits before its retry, `seconds` how long it ran. With
    `part_on_it` a part lies half made on the machine, which has to be cleared, whoever does that
    otherwise.

    A run that was given up meanwhile may be taken up again by the station of its machine, while
    nobody has decided about its job and nothing else has the machine: for `lease_s` it is that
    station's again, as if it had never been given up.
    """

    transition: t.Transition
    run_id: int
    token: int
    job_id: int
    machine_id: int
    actor: str
    reason: str = ""
    backoff_s: float = 0.0
    seconds: float = 0.0
    program: str = ""
    material: str = ""
    lease_s: float = 0.0
    part_on_it: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> Hashable:
        """Moves of one name are one set of statements."""
        return ("move", self.transition.name)

    @property
    def touches(self) -> Sequence[Hashable]:
        """Its job and its machine."""
        return (("job", self.job_id), ("machine", self.machine_id))

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["MoveRun"]) -> list[Exception | None]:
        """Runs first: their guards decide; jobs and machines follow those that moved."""
        row = changes[0].transition
        moved = _move_runs(tx, row, changes)
        going = [change for change in changes if change.run_id in moved]
        if not going:
            return [_refusal(tx, change) for change in changes]
        traces = _move_jobs(tx, row, going)
        machines = _move_machines(tx, row, going)
        assert row.job is not None
        assert row.run is not None
        for change in going:
            tx.record(
                row,
                actor=change.actor,
                job_id=change.job_id,
                run_id=change.run_id,
                machine_id=change.machine_id,
                job_state=row.job.target,
                run_state=row.run.target,
                machine_state=machines.get(change.machine_id),
                trace_id=traces[change.job_id],
                reason=change.reason,
                details=dict(change.details),
            )
        if row.run.target not in LIVE_RUNS:
            tx.freed = True
        ids = [change.job_id for change in going]
        if row.job.target is JobState.COMPLETED and unblock_successors(tx, ids):
            release_due(tx)
        return [None if change.run_id in moved else _refusal(tx, change) for change in changes]


def _move_runs(tx: Tx, row: t.Transition, changes: Sequence[MoveRun]) -> set[int]:
    leases = [tx.now + round(c.lease_s * 1000) for c in changes]
    items = packed(
        [[c.run_id, c.token, c.reason, until] for c, until in zip(changes, leases, strict=True)]
    )
    statement = _run_statement(tx.dialect, row.name)
    more = {"station": tx.station} if row is t.TAKEN_UP else {}
    found = tx.connection.execute(statement, {"item": items, "now": tx.now, **more})
    return set(found.scalars().all())


def _move_jobs(tx: Tx, row: t.Transition, going: Sequence[MoveRun]) -> dict[int, str]:
    due = [tx.now + round(c.backoff_s * 1000) for c in going]
    items = packed([[c.job_id, c.run_id, c.reason, at] for c, at in zip(going, due, strict=True)])
    statement = _job_statement(tx.dialect, row.name)
    found = tx.connection.execute(statement, {"item": items, "now": tx.now}).all()
    if len(found) != len(going):
        raise Conflict(f"a job has left its run: {row.name} changes nothing")
    if row.job is not None and row.job.target is JobState.DELAYED:
        tx.due(min(due))
    if row.job is not None and row.job.target is JobState.QUEUED:
        tx.claimable.update(machine_type for _, _, machine_type in found)
    return {job_id: trace for job_id, trace, _ in found}


def _move_machines(tx: Tx, row: t.Transition, going: Sequence[MoveRun]) -> dict[int, str]:
    items = packed(
        [
            [
                c.machine_id,
                c.run_id,
                c.reason,
                c.seconds,
                c.program,
                c.material,
                c.job_id,
                c.part_on_it,
            ]
            for c in going
        ]
    )
    statement = _machine_statement(tx.dialect, row.name)
    found = tx.connection.execute(statement, {"item": items, "now": tx.now}).all()
    assert row.machine is not None
    moved: dict[int, str] = dict(found)
    if len(moved) != len(going) and row.machine.required:
        raise Conflict(f"the machine has left its run: {row.name} changes nothing")
    left = [c.machine_id for c in going if c.part_on_it and c.machine_id not in moved]
    if left:  # in alarm, each stays there: with the part
        tx.connection.execute(
            update(machine)
            .where(machine.c.id.in_(left), machine.c.state == MachineState.ALARM.value)
            .values(to_clear=True)
        )
    return moved


def _refusal(tx: Tx, change: MoveRun) -> Exception:
    found = tx.connection.execute(
        select(
            run.c.token,
            run.c.state,
            job.c.state.label("job_state"),
            machine.c.name.label("machine"),
            machine.c.state.label("at"),
        )
        .join(job, job.c.id == run.c.job_id)
        .join(machine, machine.c.id == run.c.machine_id)
        .where(run.c.id == change.run_id)
    ).one_or_none()
    if found is None or found.token != change.token:
        return Fenced(f"run {change.run_id} belongs to another claim now; nothing was written")
    name = change.transition.name.replace("_", " ")
    words = f"run {change.run_id} is {found.state}: it can't be {name}"
    if change.transition is t.TAKEN_UP:
        return Conflict(f"{words}; its job is {found.job_state}, {found.machine} {found.at}")
    step = change.transition.run
    return AlreadyDone(words) if step and step.target == found.state else Conflict(words)


@cache
def _run_statement(dialect: Dialect, name: str) -> Update:
    step = t.TRANSITIONS[name].run
    assert step is not None
    assert step.target is not None
    item = dialect.items(
        "item", run_id=BigInteger, token=BigInteger, reason=Text, lease_until=BigInteger
    )
    values: dict[str, Any] = {"state": step.target.value}
    if name == t.STARTED.name:
        values["started_at"] = bindparam("now", type_=BigInteger)
    if step.target not in LIVE_RUNS:
        values["ended_at"] = bindparam("now", type_=BigInteger)
    if step.target in (RunState.FAILED, RunState.INTERRUPTED, RunState.CANCELLED):
        values["error"] = item.c.reason
    query = (
        update(run)
        .where(run.c.id == item.c.run_id, run.c.token == item.c.token)
        .where(found_in(run, step.sources))
    )
    if name == t.TAKEN_UP.name:
        values |= {"ended_at": null(), "error": "", "lease_until": item.c.lease_until}
        values["station"] = bindparam("station")
        query = query.where(undecided(), still_there())
    return query.values(values).returning(run.c.id)


@cache
def _job_statement(dialect: Dialect, name: str) -> Update:
    row = t.TRANSITIONS[name]
    assert row.job is not None
    assert row.job.target is not None
    item = dialect.items("item", job_id=BigInteger, run_id=BigInteger, reason=Text, due=BigInteger)
    now = bindparam("now", type_=BigInteger)
    values: dict[str, Any] = {
        "state": row.job.target.value,
        "state_since": now,
        "version": job.c.version + 1,
    }
    if row.run is not None and row.run.target in (RunState.FAILED, RunState.INTERRUPTED):
        values |= {"failures": job.c.failures + 1, "last_error": item.c.reason}
    if row.job.target is JobState.DELAYED:
        values["not_before"] = item.c.due
    if row.job.target in WAITING_JOBS:
        values["token"] = job.c.token + 1  # whoever drove it has lost the right to write
    if row.job.target in (JobState.QUEUED, JobState.PAUSED):
        values |= {"run_id": null(), "machine_id": null()}
    if row.job.target in (JobState.COMPLETED, JobState.CANCELLED):
        values["finished_at"] = now
    if name == t.TAKEN_UP.name:  # it did not fail after all
        given_up = job.c.state == literal_column(f"'{JobState.INTERRUPTED}'")
        values["failures"] = case((given_up, job.c.failures - 1), else_=job.c.failures)
    return (
        update(job)
        .where(job.c.id == item.c.job_id, job.c.run_id == item.c.run_id)
        .where(found_in(job, row.job.sources))
        .values(values)
        .returning(job.c.id, job.c.trace_id, job.c.machine_type)
    )


@cache
def _machine_statement(dialect: Dialect, name: str) -> Update:
    row = t.TRANSITIONS[name]
    step = row.machine
    assert step is not None
    assert row.run is not None
    item = dialect.items(
        "item",
        machine_id=BigInteger,
        run_id=BigInteger,
        reason=Text,
        seconds=Float,
        program=Text,
        material=Text,
        job_id=BigInteger,
        part_on_it=Boolean,
    )
    to_clear = machine.c.operator_clears | item.c.part_on_it
    values: dict[str, Any] = {
        "state": step.target,
        "state_since": bindparam("now", type_=BigInteger),
        "state_reason": item.c.reason,
        "version": machine.c.version + 1,
    }
    if name == t.STARTED.name:
        values |= {"last_program": item.c.program, "last_material": item.c.material}
    if row.run.target not in LIVE_RUNS:
        values |= {"job_id": null(), "run_id": null()}
    if step.target is MachineState.OFFLINE and not step.untouched:
        values["to_clear"] = to_clear
    if step.to_rest:
        clearing = (to_clear, MachineState.NEEDS_CLEARING.value)
        resting = case(_TO_MAINTENANCE, clearing, else_=MachineState.IDLE.value)
        values |= {
            "state": _RESTING_UNTOUCHED if step.untouched else resting,
            "maintenance_due": false(),
        }
    if step.to_rest and not step.untouched:
        values |= {
            "runs_done": machine.c.runs_done + 1,
            "run_seconds": machine.c.run_seconds + item.c.seconds,
        }
    own = machine.c.run_id == item.c.run_id
    if name == t.TAKEN_UP.name:
        values |= {"job_id": item.c.job_id, "run_id": item.c.run_id, "to_clear": false()}
        own |= machine.c.run_id.is_(None)
    return (
        update(machine)
        .where(machine.c.id == item.c.machine_id, own)
        .where(found_in(machine, step.sources))
        .values(values)
        .returning(machine.c.id, machine.c.state)
    )
