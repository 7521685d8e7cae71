"""Create, edit, pause and delete schedules, and make a job of one by hand."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from cnc_station.engine import codec
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.schedule import (
    CHANGES_TIMES,
    EDITABLE,
    OVER,
    CatchUp,
    FiringState,
    Overlap,
    Schedule,
    fires_at,
)
from cnc_station.engine.store.before_after import before_after
from cnc_station.engine.store.jobs import CreateJobs, check_references
from cnc_station.engine.store.schema import job, schedule, schedule_firing
from cnc_station.engine.store.transaction import OneByOne, Tx

_AS_STORED = sorted(EDITABLE - {"job", "catch_up", "overlap"})
_PER_MINUTE_MS = 60_000

job_is_open = job.c.finished_at.is_(None) & job.c.state.not_in(sorted(OVER))


class ScheduleCommand(OneByOne[Any]):
    """A command about one schedule or several; their order is kept."""

    __slots__ = ()

    @property
    def touches(self) -> Sequence[Hashable]:
        return ("schedules",)


def spec_of(row: Row[Any]) -> Schedule:
    """The schedule stored in a row."""
    return Schedule(
        **{name: getattr(row, name) for name in _AS_STORED},
        job=codec.load(JobSpec, row.job.encode()),
        catch_up=CatchUp(row.catch_up),
        overlap=Overlap(row.overlap),
        paused=bool(row.paused),
    )


def stored_schedule(connection: Connection, schedule_id: int) -> Schedule | None:
    """The schedule with this id; None if it does not exist."""
    query = select(schedule).where(schedule.c.id == schedule_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else spec_of(row)


def visible_schedules(connection: Connection, ids: Iterable[int] | None) -> tuple[int, ...]:
    """Those of these schedules, or of all, that the reader may see."""
    query = select(schedule.c.id).order_by(schedule.c.id)
    if ids is not None:
        query = query.where(schedule.c.id.in_(sorted(set(ids))))
    return tuple(connection.execute(query).scalars())


def next_columns(
    spec: Schedule, schedule_id: int, next_due: int | None, as_of: int
) -> dict[str, Any]:
    """The columns that say when a schedule is due next, as computed at `as_of` (ms)."""
    planned = None if next_due is None else fires_at(schedule_id, next_due, spec.jitter_s)
    return {"next_due": next_due, "fires_at": planned, "as_of": as_of}


def _columns(spec: Schedule) -> dict[str, Any]:
    return {
        **{name: getattr(spec, name) for name in _AS_STORED},
        "tenant": spec.tenant,
        "jitter_s": float(spec.jitter_s),
        "catch_up": spec.catch_up.value,
        "overlap": spec.overlap.value,
        "job": codec.dump(JobSpec, spec.job).decode(),
    }


@dataclass(frozen=True, slots=True)
class CreateSchedule(ScheduleCommand):
    """Store a validated schedule. Returns its id. Raises InvalidInput if its name is in use, or
    its template refers to something that does not exist."""

    spec: Schedule
    actor: str

    def write(self, tx: Tx) -> int:
        _check_name(tx, self.spec, None)
        check_references(tx, [self.spec.job])
        schedule_id = tx.dialect.reserve(tx.connection, schedule, 1)[0]
        next_due = None if self.spec.paused else self.spec.next_after(tx.now)
        tx.connection.execute(
            insert(schedule).values(
                id=schedule_id,
                version=1,
                paused=self.spec.paused,
                created_at=tx.now,
                created_by=self.actor,
                **next_columns(self.spec, schedule_id, next_due, tx.now),
                **_columns(self.spec),
            )
        )
        record(tx, t.SCHEDULE_CREATED, schedule_id, self.spec, self.actor)
        return schedule_id


@dataclass(frozen=True, slots=True)
class EditSchedule(ScheduleCommand):
    """Replace a schedule by a validated one, paused or not as it is; with `version`, only if nobody
    changed it since. A change of its times counts from now on. Raises Conflict, InvalidInput."""

    schedule_id: int
    spec: Schedule
    actor: str
    version: int | None = None

    def write(self, tx: Tx) -> None:
        row = _locked(tx, self.schedule_id)
        if self.version not in (None, row.version):
            raise Conflict(f"{row.name} was changed by somebody else meanwhile. Open it again.")
        before = spec_of(row)
        after = replace(self.spec, paused=before.paused)
        _check_name(tx, after, row.id)
        check_references(tx, [after.job])
        changed = {name for name in EDITABLE if getattr(after, name) != getattr(before, name)}
        next_due, as_of = row.next_due, row.as_of
        if changed & CHANGES_TIMES and not after.paused:
            next_due, as_of = after.next_after(tx.now), tx.now
        tx.connection.execute(
            update(schedule)
            .where(schedule.c.id == row.id)
            .values(
                version=schedule.c.version + 1,
                **next_columns(after, row.id, next_due, as_of),
                **_columns(after),
            )
        )
        told = sorted(changed - {"job"})  # the payload of its template may have secrets
        values = [{name: getattr(spec, name) for name in told} for spec in (before, after)]
        details = {"fields": sorted(changed), **before_after(*values)}
        record(tx, t.SCHEDULE_EDITED, row.id, after, self.actor, details=details)


@dataclass(frozen=True, slots=True)
class PauseSchedules(ScheduleCommand):
    """Pause schedules, or resume them: they then go on with the first time that is still to come.
    Returns the ids of those that changed. Raises Conflict if one of them does not exist."""

    schedule_ids: tuple[int, ...]
    paused: bool
    actor: str
    reason: str = ""

    def write(self, tx: Tx) -> tuple[int, ...]:
        rows = [_locked(tx, schedule_id) for schedule_id in sorted(set(self.schedule_ids))]
        changed = [row for row in rows if bool(row.paused) != self.paused]
        for row in changed:
            spec = spec_of(row)
            set_paused(tx, row.id, spec, paused=self.paused)
            transition = t.SCHEDULE_PAUSED if self.paused else t.SCHEDULE_RESUMED
            record(tx, transition, row.id, spec, self.actor, reason=self.reason)
        return tuple(row.id for row in changed)


@dataclass(frozen=True, slots=True)
class TriggerSchedule(ScheduleCommand):
    """Make a job of a schedule now, also of a paused one. Returns its id. Raises Conflict if a job
    of it is open and its overlap policy does not allow another one."""

    schedule_id: int
    actor: str
    trace_id: str = ""

    def write(self, tx: Tx) -> int:
        row = _locked(tx, self.schedule_id)
        spec = spec_of(row)
        if spec.overlap is not Overlap.ALLOW:
            tx.flush()
            _refuse_while_open(tx, row)
        # Not a full minute: those are the due times of rules.
        due = tx.now + (tx.now % _PER_MINUTE_MS == 0)
        last = tx.connection.execute(
            select(func.max(schedule_firing.c.due_at)).where(
                schedule_firing.c.schedule_id == row.id, schedule_firing.c.due_at >= due
            )
        ).scalar()
        due = due if last is None else last + 1
        new = replace(spec.job, source=f"schedule {spec.name}, by hand")
        command = CreateJobs((new,), self.actor, row.id, self.trace_id)
        (made,) = CreateJobs.apply(tx, [command])
        if isinstance(made, Exception):
            raise made
        firing = firing_row(tx, row.id, due, due, FiringState.FIRED, self.actor, job_id=made[0])
        tx.connection.execute(insert(schedule_firing).values(firing))
        details = {"jobs": list(made)}
        record(tx, t.SCHEDULE_TRIGGERED, row.id, spec, self.actor, details=details)
        return made[0]


@dataclass(frozen=True, slots=True)
class DeleteSchedule(ScheduleCommand):
    """Delete a schedule with its history; its jobs stay. Raises Conflict if it does not exist."""

    schedule_id: int
    actor: str

    def write(self, tx: Tx) -> None:
        row = _locked(tx, self.schedule_id)
        tx.connection.execute(delete(schedule).where(schedule.c.id == row.id))
        record(tx, t.SCHEDULE_DELETED, row.id, spec_of(row), self.actor)


def set_paused(tx: Tx, schedule_id: int, spec: Schedule, *, paused: bool) -> None:
    """Pause a schedule, or let it go on with the first time that is still to come."""
    next_due = None if paused else spec.next_after(tx.now)
    tx.connection.execute(
        update(schedule)
        .where(schedule.c.id == schedule_id)
        .values(
            paused=paused,
            version=schedule.c.version + 1,
            **next_columns(spec, schedule_id, next_due, tx.now),
        )
    )


def record(
    tx: Tx,
    transition: t.Transition,
    schedule_id: int,
    spec: Schedule,
    actor: str,
    *,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Record an event about a schedule; it names no job, whose own events replay to its state."""
    tx.record(
        transition,
        actor=actor,
        reason=f"{spec.name}: {reason}" if reason else spec.name,
        details={"schedule": schedule_id, **(details or {})},
        tenant=spec.tenant,
    )


def firing_row(
    tx: Tx,
    schedule_id: int,
    due_at: int,
    planned_at: int,
    state: FiringState,
    actor: str,
    *,
    job_id: int | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """The row of one due time."""
    return {
        "schedule_id": schedule_id,
        "due_at": due_at,
        "planned_at": planned_at,
        "fired_at": tx.now,
        "state": state.value,
        "job_id": job_id,
        "actor": actor,
        "reason": reason,
    }


def _locked(tx: Tx, schedule_id: int) -> Row[Any]:
    query = select(schedule).where(schedule.c.id == schedule_id).with_for_update()
    if (row := tx.connection.execute(query).one_or_none()) is None:
        raise Conflict(f"There is no schedule {schedule_id}.")
    return row


def _check_name(tx: Tx, spec: Schedule, own_id: int | None) -> None:
    query = select(schedule.c.id).where(
        schedule.c.tenant == spec.tenant, schedule.c.name == spec.name
    )
    if tx.connection.execute(query).scalar() not in (None, own_id):
        raise InvalidInput(FieldError("name", f"there is a schedule {spec.name} already"))


def _refuse_while_open(tx: Tx, row: Row[Any]) -> None:
    query = select(job.c.id).where(job.c.schedule_id == row.id, job_is_open).limit(1)
    if (job_id := tx.connection.execute(query).scalar()) is not None:
        raise Conflict(f"Job {job_id} of {row.name} is not over yet.")
