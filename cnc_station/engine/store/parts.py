"""What is written of a run while it goes on: which of its parts are done, and which modes were set
before one."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, ScalarSelect, func, literal, select

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.schema import event, found_in, job
from cnc_station.engine.store.transaction import StoreCommand, Tx

_UNDER_WAY = (JobState.RUNNING, JobState.HELD)


def parts_done(run_id: ColumnElement[int], job_id: ColumnElement[int]) -> ScalarSelect[int]:
    """How many parts of a run are written as done."""
    return (
        select(func.count())
        .where(event.c.job_id == job_id, event.c.run_id == run_id)
        .where(event.c.type == t.PART_DONE.name)
        .scalar_subquery()
    )


@dataclass(frozen=True, slots=True)
class RecordPartDone(StoreCommand[None]):
    """Part `part` (from 1) of a run is done, and more are to come. Said twice, it is written once.
    Raises Conflict if the run is not under way, or is another's."""

    job_id: int
    run_id: int
    token: int
    machine_id: int | None
    part: int
    reason: str
    actor: str

    @property
    def touches(self) -> Sequence[Hashable]:
        """Its job."""
        return (("job", self.job_id),)

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["RecordPartDone"]) -> list[Exception | None]:
        """One by one: a machine that is watched takes minutes for a part."""
        return [_tell(tx, change, t.PART_DONE, change.part) for change in changes]


@dataclass(frozen=True, slots=True)
class RecordModesSet(StoreCommand[None]):
    """What had to be set on the controller before a part, so that it is cut in the modes it was
    read with. Raises Conflict as `RecordPartDone`."""

    job_id: int
    run_id: int
    token: int
    machine_id: int | None
    reason: str
    actor: str

    @property
    def touches(self) -> Sequence[Hashable]:
        """Its job."""
        return (("job", self.job_id),)

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["RecordModesSet"]) -> list[Exception | None]:
        """One by one: most programs find the modes that they need."""
        return [_tell(tx, change, t.MODES_SET) for change in changes]


def _tell(
    tx: Tx,
    change: RecordPartDone | RecordModesSet,
    transition: t.Transition,
    once_for: int | None = None,
) -> Exception | None:
    """`once_for`: the part, for what is written once for each."""
    done = parts_done(literal(change.run_id, Integer), literal(change.job_id, Integer))
    row = tx.connection.execute(
        select(job.c.state, job.c.trace_id, job.c.tenant, done.label("done"))
        .where(job.c.id == change.job_id, job.c.run_id == change.run_id)
        .where(job.c.token == change.token, found_in(job, _UNDER_WAY))
        .with_for_update()
    ).one_or_none()
    if row is None:
        return Conflict(f"run {change.run_id} is not under way any more; nothing was written")
    if once_for is None or row.done < once_for:
        tx.record(
            transition,
            actor=change.actor,
            job_id=change.job_id,
            run_id=change.run_id,
            machine_id=change.machine_id,
            job_state=row.state,
            trace_id=row.trace_id,
            reason=change.reason,
            tenant=row.tenant,
        )
    return None
