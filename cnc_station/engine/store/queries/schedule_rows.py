"""Schedules as they are shown, what came of their due times, and the times to come."""

from collections.abc import Collection, Iterable, Mapping
from heapq import merge
from itertools import islice, pairwise, takewhile
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from cnc_station.engine.domain import schedule as domain
from cnc_station.engine.domain.cron import RULE, DueTime, offset_at
from cnc_station.engine.domain.schedule import FiringState, Schedule
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.schedules import job_is_open, spec_of
from cnc_station.engine.store.schema import job, run, schedule, schedule_firing
from cnc_station.engine.views import DueRow, SchedulePreview, ScheduleRow, ScheduleRun

LAST_RUNS = 5  # whose mean time is compared to the interval
OUTLASTS = "Runs take longer than the time until the next one."
UNREADABLE = "Its rule can't be read at this station: {}."

_RUNS: Select[Any] = (
    select(
        *(column for column in schedule_firing.c),
        job.c.state.label("job_state"),
        run.c.started_at,
        run.c.ended_at,
    )
    .join(job, job.c.id == schedule_firing.c.job_id, isouter=True)
    .join(run, run.c.id == job.c.run_id, isouter=True)
)


def schedules(connection: Connection, now: int) -> tuple[ScheduleRow, ...]:
    """Every schedule by name, without the warnings that take long to find."""
    rows = connection.execute(select(schedule).order_by(func.lower(schedule.c.name), schedule.c.id))
    return _shown(connection, rows.all(), now, full=False)


def one_schedule(connection: Connection, now: int, *, schedule_id: int) -> ScheduleRow | None:
    """One schedule with all its warnings; None if it does not exist."""
    rows = connection.execute(select(schedule).where(schedule.c.id == schedule_id)).all()
    return next(iter(_shown(connection, rows, now, full=True)), None)


def schedule_runs(
    connection: Connection, *, schedule_id: int, limit: int, before: int | None
) -> tuple[ScheduleRun, ...]:
    """What came of the due times of a schedule, newest first."""
    visible = select(schedule.c.id).where(schedule.c.id == schedule_id)
    query = _RUNS.where(schedule_firing.c.schedule_id.in_(visible))
    if before is not None:
        query = query.where(schedule_firing.c.due_at < before)
    found = connection.execute(query.order_by(schedule_firing.c.due_at.desc()).limit(limit))
    return tuple(_run(row) for row in found)


def preview(spec: Schedule, now: int) -> SchedulePreview:
    """The next times of a valid schedule."""
    return SchedulePreview(
        times=tuple(_due_row(spec, due) for due in domain.next_times(spec, now)),
        words=spec.rule.words,
        warnings=tuple(domain.warnings(spec, now)),
        rule=RULE,
    )


def upcoming(connection: Connection, now: int, *, hours: float, limit: int) -> tuple[DueRow, ...]:
    """When the schedules that are not paused are due within so many hours, in order."""
    until = now + round(hours * 3_600_000)
    rows = connection.execute(select(schedule).where(~schedule.c.paused))
    times = (_until(row, spec_of(row), now, until) for row in rows.all())
    return tuple(islice(merge(*times, key=lambda row: row.at), limit))


def _until(row: Row[Any], spec: Schedule, now: int, until: int) -> Iterable[DueRow]:
    try:
        for due in takewhile(lambda time: time.at <= until, spec.after(now)):
            yield _due_row(spec, due, row.id)
    except ValueError:  # a zone that is not known here
        return


def _due_row(spec: Schedule, due: DueTime, schedule_id: int | None = None) -> DueRow:
    offset_s = round(offset_at(due.at, spec.zone).total_seconds())
    note = ""
    if due.skipped:
        note = f"the clock skips {due.local:%H:%M}"
    elif due.repeated:
        note = f"{due.local:%H:%M} comes twice"
    return DueRow(due.at, offset_s, note, schedule_id, spec.name if schedule_id else "")


def _shown(
    connection: Connection, rows: Collection[Row[Any]], now: int, *, full: bool
) -> tuple[ScheduleRow, ...]:
    ids = [row.id for row in rows]
    last = _last_runs(connection, ids)
    opened = _open_jobs(connection, ids)
    return tuple(
        _row(row, last.get(row.id, []), opened.get(row.id, 0), now, full=full) for row in rows
    )


def _row(
    row: Row[Any], runs: list[ScheduleRun], open_jobs: int, now: int, *, full: bool
) -> ScheduleRow:
    spec = spec_of(row)
    try:
        words = spec.rule.words
        warnings = [OUTLASTS] if _outlasts(spec, runs, now) else []
        if full:
            warnings += domain.warnings(spec, now)
    except ValueError as error:
        words, warnings = "", [UNREADABLE.format(error)]
    return ScheduleRow(
        id=row.id,
        version=row.version,
        spec=spec,
        next_due=row.next_due,
        words=words,
        last=runs[0] if runs else None,
        open_jobs=open_jobs,
        warnings=tuple(warnings),
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _outlasts(spec: Schedule, runs: Iterable[ScheduleRun], now: int) -> bool:
    took = [one.seconds for one in runs if one.seconds is not None]
    if not took:
        return False
    times = [due.at for due in islice(spec.after(now), 2)]
    mean_s = sum(took) / len(took)
    return any(mean_s * 1000 > later - sooner for sooner, later in pairwise(times))


def _last_runs(connection: Connection, ids: list[int]) -> Mapping[int, list[ScheduleRun]]:
    """The last due times of each schedule, newest first."""
    before = schedule_firing.alias("before")
    fifth = (
        select(before.c.due_at)
        .where(before.c.schedule_id == schedule.c.id)
        .order_by(before.c.due_at.desc())
        .offset(LAST_RUNS - 1)
        .limit(1)
        .scalar_subquery()
    )
    # Not a window function: the history of a schedule may be long.
    last = (
        select(schedule.c.id, func.coalesce(fifth, 0).label("since"))
        .where(schedule.c.id.in_(ids))
        .subquery("last")
    )
    query = _RUNS.join(
        last,
        (last.c.id == schedule_firing.c.schedule_id) & (schedule_firing.c.due_at >= last.c.since),
    )
    found: dict[int, list[ScheduleRun]] = {}
    for row in connection.execute(query.order_by(schedule_firing.c.due_at.desc())):
        found.setdefault(row.schedule_id, []).append(_run(row))
    return found


def _open_jobs(connection: Connection, ids: list[int]) -> Mapping[int, int]:
    query = (
        select(job.c.schedule_id, func.count())
        .where(job.c.schedule_id.in_(ids), job_is_open)
        .group_by(job.c.schedule_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _run(row: Row[Any]) -> ScheduleRun:
    ended = row.started_at is not None and row.ended_at is not None
    return ScheduleRun(
        id=row.id,
        schedule_id=row.schedule_id,
        due_at=row.due_at,
        planned_at=row.planned_at,
        fired_at=row.fired_at,
        state=FiringState(row.state),
        job_id=row.job_id,
        job_state=JobState(row.job_state) if row.job_state else None,
        seconds=(row.ended_at - row.started_at) / 1000 if ended else None,
        actor=row.actor,
        reason=row.reason,
    )
