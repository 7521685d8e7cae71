"""The statements of a claim."""

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Select,
    Text,
    Update,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    select,
    true,
    update,
)

from cnc_station.engine.domain.states import JobState, MachineState
from cnc_station.engine.store.dialect import Dialect
from cnc_station.engine.store.schema import found_in, job, machine, queued, station

MOST_PINNED = 1000


def _first(of: ColumnElement[bool], order: ColumnElement[Any]) -> ScalarSelect[Any]:
    query = select(job.c.id).where(queued, of).order_by(order, job.c.rank, job.c.id)
    return query.limit(1).scalar_subquery()


# In the order of an index: otherwise a planner may scan past all finished jobs for any row.
_ANY_PINNED = _first(job.c.pinned_machine_id.is_not(None), job.c.pinned_machine_id).is_not(None)
_ANY_WAITS = (
    _first(job.c.pinned_machine_id.is_(None), job.c.machine_type).is_not(None) | _ANY_PINNED
)

not_replaced = ~(
    exists()
    .where(station.c.name == bindparam("station"))
    .where(station.c.incarnation != bindparam("incarnation"))
    .where(bindparam("incarnation", type_=Text) != "")
)

IDLE: Select[Any] = (
    select(
        machine.c.id,
        machine.c.operator_starts,
        machine.c.operator_clears,
        machine.c.last_program,
        machine.c.last_material,
        machine.c.run_seconds,
        machine.c.machine_type,
        machine.c.max_complexity,
        machine.c.materials,
        machine.c.axes,
        machine.c.size_x,
        machine.c.size_y,
        machine.c.size_z,
        _ANY_PINNED,
    )
    .where(_ANY_WAITS, not_replaced)
    .where(machine.c.state == MachineState.IDLE.value, ~machine.c.removed)
    .where(machine.c.not_ready == "")
    .where(machine.c.station == bindparam("station"))
    .order_by(machine.c.id)
    .with_for_update(skip_locked=True)
)

FOR_MATCHING = (
    job.c.id,
    job.c.rank,
    job.c.program,
    job.c.pinned_machine_id,
    job.c.machine_type,
    job.c.complexity,
    job.c.material,
    job.c.axes,
    job.c.size_x,
    job.c.size_y,
    job.c.size_z,
)
FOR_CLAIMED = (  # in the order of `Claimed`
    job.c.failures,
    job.c.retry_limit,
    job.c.timeout_s,
    job.c.complexity,
    job.c.quantity,
    job.c.estimated_s,
    func.coalesce(job.c.program, literal_column("''")),
    job.c.material,
    job.c.trace_id,
    job.c.tenant,
)
FOR_SESSION = (
    job.c.name,
    job.c.operation,
    job.c.token,
    job.c.attempt,
    job.c.state_since,
    *FOR_CLAIMED,
)
_WANTED = (*FOR_MATCHING, *FOR_SESSION)


@cache
def pinned_statement(dialect: Dialect) -> Select[Any]:
    """Jobs pinned to one of these machines (`item`: their ids), in rank order."""
    item = dialect.items("item", machine_id=BigInteger)
    return (
        select(*_WANTED)
        .where(queued, job.c.pinned_machine_id.is_not(None))
        .where(job.c.pinned_machine_id.in_(select(item.c.machine_id)))
        .order_by(job.c.rank, job.c.id)
        .limit(MOST_PINNED)
        .with_for_update(skip_locked=True)
    )


def _lowered_material() -> ColumnElement[str]:
    """The material in Python's lower case; databases lower by their own locale. `search` ends with
    it; İ alone becomes two characters when lowered."""
    material = job.c.material
    extra = func.length(material) - func.length(func.replace(material, "İ", ""))
    lowered: ColumnElement[str] = func.substr(
        job.c.search, func.length(job.c.search) - func.length(material) - extra + 1
    )
    return lowered


@cache
def offer_statement(dialect: Dialect, *, any_material: bool) -> Select[Any]:
    """The first jobs of a type that fit a capability, in rank order."""
    query = (
        select(*_WANTED)
        .where(queued, job.c.pinned_machine_id.is_(None))
        .where(job.c.machine_type == bindparam("machine_type"))
        .where(job.c.complexity <= bindparam("complexity"), job.c.axes <= bindparam("axes"))
        .where(func.coalesce(job.c.size_x, 0) <= bindparam("x"))
        .where(func.coalesce(job.c.size_y, 0) <= bindparam("y"))
        .where(func.coalesce(job.c.size_z, 0) <= bindparam("z"))
        .order_by(job.c.rank, job.c.id)
        .limit(bindparam("count"))
        .with_for_update(skip_locked=True)
    )
    if any_material:
        return query
    materials = dialect.items("materials", material=Text)
    fits = _lowered_material().in_(select(materials.c.material))
    # As a case: planners have no statistics of computed values, assume that a match is rare, and
    # would sort the whole queue of a type instead of scanning it in order.
    return query.where(case((fits, true()), else_=false()))


@cache
def job_statement(dialect: Dialect) -> Update:
    """Assign the jobs of new runs."""
    item = dialect.items(
        "item",
        job_id=BigInteger,
        machine_id=BigInteger,
        run_id=BigInteger,
        token=BigInteger,
        attempt=BigInteger,
        state=Text,
    )
    return (
        update(job)
        .where(job.c.id == item.c.job_id, found_in(job, [JobState.QUEUED]))
        .values(
            state=item.c.state,
            state_since=bindparam("now", type_=BigInteger),
            version=job.c.version + 1,
            machine_id=item.c.machine_id,
            run_id=item.c.run_id,
            token=item.c.token,
            attempt=item.c.attempt,
        )
    )


@cache
def machine_statement(dialect: Dialect) -> Update:
    """Assign the machines of new runs."""
    item = dialect.items(
        "item",
        machine_id=BigInteger,
        job_id=BigInteger,
        run_id=BigInteger,
        state=Text,
        program=Text,
        material=Text,
    )
    return (
        update(machine)
        .where(machine.c.id == item.c.machine_id)
        .values(
            state=item.c.state,
            last_program=func.coalesce(item.c.program, machine.c.last_program),
            last_material=func.coalesce(item.c.material, machine.c.last_material),
            state_since=bindparam("now", type_=BigInteger),
            state_reason="",
            version=machine.c.version + 1,
            job_id=item.c.job_id,
            run_id=item.c.run_id,
        )
    )
