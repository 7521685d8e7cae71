"""What a controller told afterwards about a run that was given up: for whoever has to decide."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.schema import job
from cnc_station.engine.store.transaction import StoreCommand, Tx


@dataclass(frozen=True, slots=True)
class RecordInspection(StoreCommand[None]):
    """Put what was found at the machine in the place of what was known of an interrupted job. The
    run keeps why it was given up, and may be asked about again. The same words again change
    nothing. Raises Conflict if somebody has decided about the job meanwhile."""

    job_id: int
    run_id: int
    token: int
    machine_id: int
    words: str
    actor: str

    @property
    def touches(self) -> Sequence[Hashable]:
        """Its job."""
        return (("job", self.job_id),)

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["RecordInspection"]) -> list[Exception | None]:
        """One by one: few are interrupted at a time."""
        return [_say_found(tx, change) for change in changes]


def _say_found(tx: Tx, change: RecordInspection) -> Exception | None:
    row = tx.connection.execute(
        select(job.c.trace_id, job.c.tenant, job.c.last_error)
        .where(job.c.id == change.job_id, job.c.state == JobState.INTERRUPTED.value)
        .where(job.c.run_id == change.run_id, job.c.token == change.token)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return Conflict(f"Job {change.job_id} was decided about meanwhile.")
    if row.last_error == change.words:
        return None
    tx.connection.execute(
        update(job)
        .where(job.c.id == change.job_id)
        .values(version=job.c.version + 1, last_error=change.words)
    )
    tx.record(
        t.INSPECTED,
        actor=change.actor,
        job_id=change.job_id,
        run_id=change.run_id,
        machine_id=change.machine_id,
        job_state=JobState.INTERRUPTED,
        trace_id=row.trace_id,
        reason=change.words,
        tenant=row.tenant,
    )
    return None
