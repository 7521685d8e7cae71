"""Events within a run: finished parts, modes set before a part, and inspections afterwards."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, ScalarSelect, func, literal, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.schema import event, found_in, job
from cnc_station.engine.store.transaction import JobCommand, Tx

_UNDER_WAY = (JobState.RUNNING, JobState.HELD)


def parts_done(run_id: ColumnElement[int], job_id: ColumnElement[int]) -> ScalarSelect[int]:
    """The number of parts recorded as done in a run."""
    return (
        select(func.count())
        .where(event.c.job_id == job_id, event.c.run_id == run_id)
        .where(event.c.type == t.PART_DONE.name)
        .scalar_subquery()
    )


@dataclass(frozen=True, slots=True)
class RecordPartDone(JobCommand[None]):
    """Record that part `part` (from 1) of a run is done and more follow; a repetition changes
    nothing. Raises Conflict if the run is not under way or belongs to another claim."""

    job_id: int
    run_id: int
    token: int
    machine_id: int | None
    part: int
    reason: str
    actor: str

    def write(self, tx: Tx) -> None:
        _record(tx, self, t.PART_DONE, self.part)


@dataclass(frozen=True, slots=True)
class RecordModesSet(JobCommand[None]):
    """Record which modes were set on the controller before a part, so that it is cut in the modes
    it was read with. Raises Conflict as `RecordPartDone`."""

    job_id: int
    run_id: int
    token: int
    machine_id: int | None
    reason: str
    actor: str

    def write(self, tx: Tx) -> None:
        _record(tx, self, t.MODES_SET)


def _record(
    tx: Tx,
    command: RecordPartDone | RecordModesSet,
    transition: t.Transition,
    once_for: int | None = None,
) -> None:
    """`once_for` is the part number of an event that is recorded once for each part."""
    done = parts_done(literal(command.run_id, Integer), literal(command.job_id, Integer))
    row = tx.connection.execute(
        select(job.c.state, job.c.trace_id, job.c.tenant, done.label("done"))
        .where(job.c.id == command.job_id, job.c.run_id == command.run_id)
        .where(job.c.token == command.token, found_in(job, _UNDER_WAY))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise Conflict(f"Run {command.run_id} is not under way any more. Nothing was written.")
    if once_for is None or row.done < once_for:
        tx.record(
            transition,
            actor=command.actor,
            job_id=command.job_id,
            run_id=command.run_id,
            machine_id=command.machine_id,
            job_state=row.state,
            trace_id=row.trace_id,
            reason=command.reason,
            tenant=row.tenant,
        )


@dataclass(frozen=True, slots=True)
class RecordInspection(JobCommand[None]):
    """Replace what is known of an interrupted job by what was found at the machine. The run keeps
    the reason it was given up for and may be inspected again; the same text changes nothing. Raises
    Conflict if somebody has decided about the job."""

    job_id: int
    run_id: int
    token: int
    machine_id: int
    words: str
    actor: str

    def write(self, tx: Tx) -> None:
        row = tx.connection.execute(
            select(job.c.trace_id, job.c.tenant, job.c.last_error)
            .where(job.c.id == self.job_id, job.c.state == JobState.INTERRUPTED.value)
            .where(job.c.run_id == self.run_id, job.c.token == self.token)
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise Conflict(f"Job {self.job_id} was decided about meanwhile.")
        if row.last_error == self.words:
            return
        tx.connection.execute(
            update(job)
            .where(job.c.id == self.job_id)
            .values(version=job.c.version + 1, last_error=self.words)
        )
        tx.record(
            t.INSPECTED,
            actor=self.actor,
            job_id=self.job_id,
            run_id=self.run_id,
            machine_id=self.machine_id,
            job_state=JobState.INTERRUPTED,
            trace_id=row.trace_id,
            reason=self.words,
            tenant=row.tenant,
        )
