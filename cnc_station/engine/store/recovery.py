"""What an engine finds in the database when it starts."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from cnc_station.engine.domain.states import LIVE_RUNS, JobState, RunState
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.parts import parts_done
from cnc_station.engine.store.schema import counted, job, leader, machine, run, standing_in
from cnc_station.engine.store.transaction import OneByOne, Tx

_RUNS = (
    select(
        run.c.id,
        run.c.token,
        run.c.machine_id,
        run.c.state,
        run.c.attempt,
        run.c.job_id,
        job.c.name,
        job.c.operation,
        job.c.failures,
        job.c.retry_limit,
        job.c.timeout_s,
        job.c.complexity,
        job.c.quantity,
        job.c.estimated_s,
        job.c.program,
        job.c.material,
        job.c.trace_id,
        job.c.tenant,
        job.c.handler,
        machine.c.operator_starts,
        machine.c.operator_clears,
        parts_done(run.c.id, run.c.job_id).label("parts_done"),
    )
    .join(job, job.c.id == run.c.job_id)
    .join(machine, machine.c.id == run.c.machine_id, isouter=True)
    .order_by(run.c.id)
)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A run that no session drives any more, as it was claimed, and its state."""

    claimed: Claimed
    state: RunState


def left_over_runs(connection: Connection, station: str, reaped: str) -> tuple[LeftOver, ...]:
    """This station's runs that were live when it was last heard of, oldest first, then those that
    the leader has interrupted since with the reason `reaped` and nobody has decided about."""
    own = _RUNS.where(run.c.station == station)
    live = own.where(standing_in(run, LIVE_RUNS))
    given_up = own.where(
        counted,
        standing_in(job, [JobState.INTERRUPTED]),
        job.c.run_id == run.c.id,
        standing_in(run, [RunState.INTERRUPTED]),
        run.c.error == reaped,
    )
    found = [*connection.execute(live), *connection.execute(given_up)]
    return tuple(LeftOver(_claimed(row), RunState(row.state)) for row in found)


def _claimed(row: Row[Any]) -> Claimed:
    return Claimed(
        run_id=row.id,
        token=row.token,
        job_id=row.job_id,
        machine_id=row.machine_id,
        name=f"{row.name} · {row.operation}" if row.operation else row.name,
        attempt=row.attempt,
        failures=row.failures,
        retry_limit=row.retry_limit,
        timeout_s=row.timeout_s,
        complexity=row.complexity,
        quantity=row.quantity,
        estimated_s=row.estimated_s,
        program=row.program or "",
        material=row.material,
        trace_id=row.trace_id,
        tenant=row.tenant,
        operator_starts=bool(row.operator_starts),
        operator_clears=bool(row.operator_clears),
        parts_done=row.parts_done,
        handler=row.handler if row.machine_id is None else "",
    )


def next_due_s(connection: Connection, now: int) -> float | None:
    """Seconds until the next delayed job is due; None if no job waits for a time."""
    due: int | None = connection.execute(
        select(func.min(job.c.not_before)).where(
            job.c.state == JobState.DELAYED.value, ~job.c.blocked
        )
    ).scalar()
    return None if due is None else (due - now) / 1000


@dataclass(frozen=True, slots=True)
class AdoptMachines(OneByOne[None]):
    """Take over all machines and live runs of an embedded file: it has one engine, whatever its
    name is today, and no other leader. Records no event."""

    def write(self, tx: Tx) -> None:
        tx.connection.execute(
            update(machine).where(machine.c.station != tx.station).values(station=tx.station)
        )
        tx.connection.execute(
            update(run)
            .where(run.c.station != tx.station, run.c.state.in_(sorted(LIVE_RUNS)))
            .values(station=tx.station)
        )
        tx.connection.execute(update(leader).values(expires_at=0))
