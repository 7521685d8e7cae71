"""The statements of a run's transition: for the run, its job and its machine."""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    Text,
    Update,
    bindparam,
    case,
    exists,
    false,
    literal_column,
    null,
    update,
)

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.states import (
    FAILED_RUNS,
    LIVE_RUNS,
    WAITING_JOBS,
    JobState,
    MachineState,
    RunState,
)
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.schema import found_in, job, machine, run, standing_in

_RESULT = {"code": BigInteger, "result": Text, "output_size": BigInteger, "output": Text}
_TO_MAINTENANCE = (machine.c.maintenance_due, MachineState.MAINTENANCE.value)
_RESTING_UNTOUCHED = case(_TO_MAINTENANCE, else_=MachineState.IDLE.value)


class RunResult(NamedTuple):
    """What is stored of a handler's work."""

    code: int | None = None
    result: str | None = None
    output_size: int | None = None
    output: str | None = None


NO_RESULT = RunResult()


@cache
def run_statement(dialect: Dialect, name: str, *, with_result: bool = False) -> Update:
    """Move the runs, guarded by token and state; return those that moved. `with_result`: each item
    also has the fields of a `RunResult`."""
    step = t.TRANSITIONS[name].run
    assert step is not None
    assert step.target is not None
    result = _RESULT if with_result else {}
    item = dialect.items(
        "item", run_id=BigInteger, token=BigInteger, reason=Text, lease_until=BigInteger, **result
    )
    values: dict[str, Any] = {"state": step.target.value} | {n: item.c[n] for n in result}
    if name == t.STARTED.name:
        values["started_at"] = bindparam("now", type_=BigInteger)
    if step.target not in LIVE_RUNS:
        values["ended_at"] = bindparam("now", type_=BigInteger)
    if step.target in FAILED_RUNS | {RunState.CANCELLED}:
        values["error"] = item.c.reason
    query = (
        update(run)
        .where(run.c.id == item.c.run_id, run.c.token == item.c.token)
        .where(found_in(run, step.sources))
    )
    if name == t.REATTACHED.name:
        values |= {"ended_at": null(), "error": "", "lease_until": item.c.lease_until}
        values["station"] = bindparam("station")
        query = query.where(undecided(), still_there())
    return query.values(values).returning(run.c.id)


@cache
def job_statement(dialect: Dialect, name: str) -> Update:
    """Move their jobs; return what their events need."""
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
    if row.run is not None and row.run.target in FAILED_RUNS:
        values |= {"failures": job.c.failures + 1, "last_error": item.c.reason}
    if row.job.target is JobState.DELAYED:
        values["not_before"] = item.c.due
    if row.job.target in WAITING_JOBS:
        values["token"] = job.c.token + 1  # revokes the right of its session to write
    if row.job.target in (JobState.QUEUED, JobState.PAUSED):
        values |= {"run_id": null(), "machine_id": null()}
    if row.job.target in (JobState.COMPLETED, JobState.CANCELLED):
        values["finished_at"] = now
    if name == t.REATTACHED.name:  # undoes the count of its failure
        given_up = job.c.state == literal_column(f"'{JobState.INTERRUPTED}'")
        values["failures"] = case((given_up, job.c.failures - 1), else_=job.c.failures)
    return (
        update(job)
        .where(job.c.id == item.c.job_id, job.c.run_id == item.c.run_id)
        .where(found_in(job, row.job.sources))
        .values(values)
        .returning(job.c.id, job.c.trace_id, job.c.tenant, job.c.machine_type)
    )


@cache
def machine_statement(dialect: Dialect, name: str) -> Update:
    """Move their machines; return the new states."""
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
    if name == t.REATTACHED.name:
        values |= {"job_id": item.c.job_id, "run_id": item.c.run_id, "to_clear": false()}
        own = (own | machine.c.run_id.is_(None)) & wired_here()
    return (
        update(machine)
        .where(machine.c.id == item.c.machine_id, own)
        .where(found_in(machine, step.sources))
        .values(values)
        .returning(machine.c.id, machine.c.state)
    )


def undecided() -> ColumnElement[bool]:
    """The run's job has no newer run, and nobody has decided about it."""
    step = t.REATTACHED.job
    assert step is not None
    return exists().where(
        job.c.id == run.c.job_id, job.c.run_id == run.c.id, standing_in(job, step.sources)
    )


def still_there() -> ColumnElement[bool]:
    """The run's machine belongs to this station and has no other run."""
    step = t.REATTACHED.machine
    assert step is not None
    return (
        exists()
        .where(machine.c.id == run.c.machine_id, wired_here(), standing_in(machine, step.sources))
        .where(machine.c.run_id.is_(None) | (machine.c.run_id == run.c.id))
    )


def wired_here() -> ColumnElement[bool]:
    """The machine belongs to this station. Checked for the run and again for the machine: it may be
    moved between the two."""
    return (machine.c.station == bindparam("station")) & ~machine.c.removed
