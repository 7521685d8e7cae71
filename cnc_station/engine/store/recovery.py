"""What an engine finds in the database when it starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from cnc_station.engine.domain.states import LIVE_RUNS, JobState, RunState
from cnc_station.engine.store.schema import job, leader, machine, run
from cnc_station.engine.store.transaction import Change, Tx


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A live run that nobody drives any more."""

    run_id: int
    token: int
    job_id: int
    machine_id: int
    state: RunState
    failures: int
    retry_limit: int | None


def left_over_runs(connection: Connection, station: str) -> tuple[LeftOver, ...]:
    """This station's runs that were live when it last stopped, oldest first."""
    found = connection.execute(
        select(
            run.c.id,
            run.c.token,
            run.c.job_id,
            run.c.machine_id,
            run.c.state,
            job.c.failures,
            job.c.retry_limit,
        )
        .join(job, job.c.id == run.c.job_id)
        .where(run.c.station == station, run.c.state.in_(sorted(LIVE_RUNS)))
        .order_by(run.c.id)
    )
    return tuple(
        LeftOver(
            r.id, r.token, r.job_id, r.machine_id, RunState(r.state), r.failures, r.retry_limit
        )
        for r in found
    )


def next_due_s(connection: Connection, now: int) -> float | None:
    """In how many seconds the next delayed job is due, if one waits for a time."""
    due: int | None = connection.execute(
        select(func.min(job.c.not_before)).where(
            job.c.state == JobState.DELAYED.value, ~job.c.blocked
        )
    ).scalar()
    return None if due is None else (due - now) / 1000


@dataclass(frozen=True, slots=True)
class AdoptMachines(Change[None]):
    """An embedded file has one engine: whatever it is called today, the machines and the runs
    left in the file are its own, and nobody else can lead."""

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["AdoptMachines"]) -> list[Exception | None]:
        """Rename the owner; nothing a person would call an event."""
        tx.connection.execute(
            update(machine).where(machine.c.station != tx.station).values(station=tx.station)
        )
        tx.connection.execute(
            update(run)
            .where(run.c.station != tx.station, run.c.state.in_(sorted(LIVE_RUNS)))
            .values(station=tx.station)
        )
        tx.connection.execute(update(leader).values(expires_at=0))
        return [None for _ in changes]
