"""What an engine finds in the database when it starts."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from cnc_station.engine.domain.states import LIVE_RUNS, JobState, RunState
from cnc_station.engine.store.claim_statements import FOR_CLAIMED
from cnc_station.engine.store.new_runs import Claimed
from cnc_station.engine.store.parts import parts_done
from cnc_station.engine.store.schema import counted, job, leader, machine, run, standing_in
from cnc_station.engine.store.transaction import OneByOne, Tx
from cnc_station.engine.views import job_title

_RUNS = (
    select(  # first the fields of `Claimed`, in order
        run.c.id,
        run.c.token,
        run.c.job_id,
        run.c.machine_id,
        job.c.name,
        run.c.attempt,
        *FOR_CLAIMED,
        job.c.operation,
        job.c.handler,
        job.c.machine_type,
        machine.c.operator_starts,
        machine.c.operator_clears,
        parts_done(run.c.id, run.c.job_id).label("parts_done"),
        run.c.state,
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
    return tuple(_left_over(row) for row in found)


def _left_over(row: Row[Any]) -> LeftOver:
    claimed = Claimed(*row[: 6 + len(FOR_CLAIMED)])._replace(
        name=job_title(row.name, row.operation),
        operator_starts=bool(row.operator_starts),
        operator_clears=bool(row.operator_clears),
        parts_done=row.parts_done,
        handler=row.handler if row.machine_id is None else "",
        machine_type=row.machine_type,
    )
    return LeftOver(claimed, RunState(row.state))


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
