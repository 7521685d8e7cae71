"""Actions of people on jobs that are not at a machine, each by the table of transitions."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Float, Row, Text, Update, delete, func, select, update

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.policies import RUN_NOW
from cnc_station.engine.domain.refusals import job_refusal
from cnc_station.engine.domain.states import FINISHED_JOBS, WAITING_JOBS, JobState
from cnc_station.engine.store.attachment_tables import attachment
from cnc_station.engine.store.attachments import delete_attachments
from cnc_station.engine.store.dialect import Dialect, packed
from cnc_station.engine.store.jobs import ask_successors, unblock_successors
from cnc_station.engine.store.schema import dependency, job, run
from cnc_station.engine.store.transaction import StoreCommand, Tx


@dataclass(frozen=True, slots=True)
class Before:
    """A job before an action, to undo it. `version` is the one after the action."""

    job_id: int
    version: int
    state: JobState
    rank: float
    pinned_machine_id: int | None
    not_before: int | None


@dataclass(frozen=True, slots=True)
class ActOnJob(StoreCommand[Before]):
    """One transition of a job that is not at a machine; with `version`, only if nobody changed the
    job since.

    `values` sets columns with it: rank, not_before, pinned_machine_id. `before` is the job to move
    in front of; None moves to the end. Raises Conflict with the state that forbids the transition.
    """

    transition: t.Transition
    job_id: int
    actor: str
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    before: int | None = None
    version: int | None = None

    @property
    def group(self) -> Hashable:
        return ("act", self.transition.name)

    @property
    def touches(self) -> Sequence[Hashable] | None:
        """A new place in the queue depends on all jobs."""
        return None if self.transition is t.REORDERED else (("job", self.job_id),)

    @classmethod
    def apply(cls, tx: Tx, commands: Sequence["ActOnJob"]) -> list[Before | Exception]:
        return act_on_rows(tx, commands, _locked(tx, [command.job_id for command in commands]))


def act_on_rows(
    tx: Tx, commands: Sequence[ActOnJob], rows: Mapping[int, Row[Any]]
) -> list[Before | Exception]:
    """Decide about locked jobs by the table, and write the decisions in one statement."""
    answers: list[Before | Exception] = []
    decided: list[tuple[ActOnJob, Row[Any], JobState]] = []
    for command in commands:
        try:
            row = rows.get(command.job_id)
            target = _decide(tx, command, row)
            assert row is not None
            if command.transition is t.DELETED:
                _delete(tx, row)
            elif command.transition is t.SCRAPPED:
                _scrap(tx, row)
            decided.append((command, row, target))
            answers.append(
                Before(
                    row.id,
                    row.version + 1,
                    JobState(row.state),
                    row.rank,
                    row.pinned_machine_id,
                    row.not_before,
                )
            )
        except Conflict as error:
            answers.append(error)
    _write(tx, decided)
    return answers


def _locked(tx: Tx, ids: Sequence[int]) -> dict[int, Row[Any]]:
    found: dict[int, Row[Any]] = {}
    for start in range(0, len(ids), 500):
        query = select(job).where(job.c.id.in_(ids[start : start + 500])).with_for_update()
        found.update((row.id, row) for row in tx.connection.execute(query))
    return found


def _decide(tx: Tx, command: ActOnJob, row: Row[Any] | None) -> JobState:
    """Return the state after the action. Raises Conflict if the action is not allowed now."""
    if row is None:
        raise Conflict(f"There is no job {command.job_id}.")
    if command.version is not None and command.version != row.version:
        raise Conflict(f"{row.name} has changed meanwhile.")
    state = JobState(row.state)
    if state is JobState.COMPLETED and (successor := _successor(tx, row.id)) is not None:
        raise Conflict(f"{row.name} stays completed, as job {successor} builds on it.")
    step = command.transition.job
    if step is None or state not in step.sources:
        raise Conflict(job_refusal(command.transition, row.name, state))
    if step.if_waiting is not None and (row.blocked or (row.not_before or 0) > tx.now):
        return step.if_waiting
    if step.target is JobState.QUEUED and row.blocked:
        raise Conflict(f"{row.name} waits for another job.")
    return step.target or state


def _successor(tx: Tx, job_id: int) -> int | None:
    after = select(dependency.c.job_id).where(dependency.c.predecessor_id == job_id).limit(1)
    successor: int | None = tx.connection.execute(after).scalar()
    return successor


def _delete(tx: Tx, row: Row[Any]) -> None:
    if row.attempt:
        raise Conflict(f"{row.name} has run, so its history is kept. Cancel it instead.")
    if (successor := _successor(tx, row.id)) is not None:
        raise Conflict(f"{row.name} can't be deleted because job {successor} waits for it.")
    tx.connection.execute(delete(dependency).where(dependency.c.job_id == row.id))
    delete_attachments(tx, attachment.c.job_id == row.id)
    tx.connection.execute(delete(job).where(job.c.id == row.id))


def _scrap(tx: Tx, row: Row[Any]) -> None:
    """Count at least one part of its last started run as scrap: it may have been counted when the
    machine was cleared. No part is counted twice, so the good ones become fewer."""
    last = (
        select(run)
        .where(run.c.job_id == row.id, run.c.started_at.is_not(None))
        .order_by(run.c.attempt.desc())  # run ids of several stations are not in order
        .limit(1)
    )
    counted = tx.connection.execute(last).one_or_none()
    if counted is None:
        raise Conflict(f"{row.name} was never started, so there is no part.")
    counts = {"scrap": counted.scrap or 1}
    left = max(0, row.quantity - counts["scrap"])
    for name in ("rework", "good"):
        if (count := getattr(counted, name)) is not None:
            counts[name] = min(count, left)
            left -= counts[name]
    tx.connection.execute(update(run).where(run.c.id == counted.id).values(counts))


def _write(tx: Tx, decided: Sequence[tuple[ActOnJob, Row[Any], JobState]]) -> None:
    items = []
    completed = []
    for command, row, target in decided:
        deleted = command.transition is t.DELETED
        values = _values(tx, command, row, target)
        tx.record(
            command.transition,
            actor=command.actor,
            job_id=row.id,
            job_state=None if deleted else target,
            trace_id=row.trace_id,
            reason=command.reason,
            details={"tenant": row.tenant} if deleted else None,
            tenant=row.tenant,
            machine_type=row.machine_type if target is JobState.QUEUED and not deleted else None,
            due_at=values["not_before"] if target is JobState.DELAYED and not deleted else None,
        )
        if deleted:
            continue
        items.append([row.id, row.version, *values.values()])
        if target is JobState.COMPLETED:
            completed.append(row.id)
    if items:
        done = tx.connection.execute(_statement(tx.dialect), {"item": packed(items)}).all()
        if len(done) != len(items):
            raise Conflict("A job has changed meanwhile.")
    if completed:
        unblock_successors(tx, ask_successors(tx, completed).fetchall())


def _values(tx: Tx, command: ActOnJob, row: Row[Any], target: JobState) -> dict[str, Any]:
    """Return the columns after the action, in the order of `_COLUMNS`."""
    transition = command.transition
    set_wrong = transition is t.OVERRIDES[JobState.NEEDS_ATTENTION]
    values = {
        "state": target.value,
        "state_since": row.state_since if target == row.state else tx.now,
        "rank": row.rank,
        "not_before": row.not_before,
        "pinned_machine_id": row.pinned_machine_id,
        "failures": row.failures,
        "last_error": command.reason if set_wrong else row.last_error,
        "finished_at": tx.now if target in FINISHED_JOBS else None,
        "edited_at": tx.now,
    }
    if transition in (t.RETRIED, t.SCRAPPED):
        values |= {"failures": 0, "not_before": tx.now}
    if transition is t.SUBMITTED:  # a draft was not in the queue
        queued_at = max(tx.now, row.not_before or 0)
        values["rank"] = tx.ranking.rank(queued_at, row.priority, row.due_at)
    if transition is t.EXPEDITED:
        values |= {"rank": RUN_NOW + tx.now, "not_before": tx.now}
    if transition is t.REORDERED and "rank" not in command.values:
        values["rank"] = _rank_before(tx, row, command.before)
    return values | dict(command.values)


def _rank_before(tx: Tx, row: Row[Any], before: int | None) -> float:
    """Return a rank just before job `before` in the queue of the same machine type."""
    queue = (job.c.machine_type == row.machine_type) & job.c.state.in_(sorted(WAITING_JOBS))
    others = queue & (job.c.id != row.id)
    if before is None:
        last = tx.connection.execute(select(func.max(job.c.rank)).where(others)).scalar()
        return float(row.rank if last is None else max(last + 1, tx.now))
    target = tx.connection.execute(
        select(job.c.rank, job.c.id).where(others, job.c.id == before)
    ).one_or_none()
    if target is None:
        raise Conflict(f"Job {before} no longer waits in the same queue.")
    ahead = (job.c.rank < target.rank) | ((job.c.rank == target.rank) & (job.c.id < target.id))
    previous = tx.connection.execute(select(func.max(job.c.rank)).where(others, ahead)).scalar()
    if previous is None:
        return float(target.rank) - 1000.0
    place = (float(previous) + float(target.rank)) / 2
    if not previous < place < target.rank:
        raise Conflict("There is no room between these two jobs; move it one place further.")
    return place


_COLUMNS = {
    "state": Text,
    "state_since": BigInteger,
    "rank": Float,
    "not_before": BigInteger,
    "pinned_machine_id": BigInteger,
    "failures": BigInteger,
    "last_error": Text,
    "finished_at": BigInteger,
    "edited_at": BigInteger,
}


@cache
def _statement(dialect: Dialect) -> Update:
    item = dialect.items("item", id=BigInteger, version=BigInteger, **_COLUMNS)
    return (
        update(job)
        .where(job.c.id == item.c.id, job.c.version == item.c.version)
        .values(version=job.c.version + 1, **{name: item.c[name] for name in _COLUMNS})
        .returning(job.c.id)
    )
