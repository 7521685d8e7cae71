"""Fire the schedules that are due: each with its jobs and its next time in one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    func,
    select,
    update,
)

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.errors import Fenced, InvalidInput
from cnc_station.engine.domain.schedule import (
    MOST_WAITING,
    Firings,
    FiringState,
    Overlap,
    Schedule,
    fires_at,
    firings,
)
from cnc_station.engine.store.dialect import packed
from cnc_station.engine.store.firing_statements import (
    AHEAD_MS,
    DUE,
    is_waiting,
    known_statement,
    next_statement,
    released_and_locked,
)
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.schedules import (
    firing_row,
    job_is_open,
    next_columns,
    record,
    set_paused,
    spec_of,
)
from cnc_station.engine.store.schema import job, schedule_firing
from cnc_station.engine.store.stations import leads
from cnc_station.engine.store.transaction import OneByOne, Tx

MOST_JOBS_AT_ONCE = 1_000
ACTOR = "schedules"

_EVENTS = {
    FiringState.FIRED: t.SCHEDULE_FIRED,
    FiringState.WAITING: t.SCHEDULE_WAITED,
    FiringState.SKIPPED: t.SCHEDULE_SKIPPED,
    FiringState.MISSED: t.SCHEDULE_MISSED,
    FiringState.FAILED: t.SCHEDULE_FAILED,
}


@dataclass(frozen=True, slots=True)
class FireDue(OneByOne[int]):
    """Fire the schedules that are due, and those that waited for a job that is over; only by the
    leader. Returns how many were handled: call it again until there are none.

    Raises Fenced if this station no longer leads in `term`.
    """

    incarnation: str
    term: int

    def write(self, tx: Tx) -> int:
        if not leads(tx, self.incarnation, self.term):
            raise Fenced("another station leads")
        tx.flush()  # open jobs are counted
        released = _release_waiting(tx)
        tx.flush()
        return released + _fire(tx)


@dataclass(slots=True)
class _Due:
    """A schedule that is due, with what comes of its due times."""

    row: Row[Any]
    spec: Schedule
    firings: Firings
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, tx: Tx, due: int, state: FiringState, reason: str = "") -> None:
        planned = fires_at(self.row.id, due, self.spec.jitter_s)
        self.rows.append(firing_row(tx, self.row.id, due, planned, state, ACTOR, reason=reason))


def _fire(tx: Tx) -> int:
    rows = tx.connection.execute(DUE, {"now": tx.now}).all()
    due = _due(tx, rows)
    _decide(tx, due)
    _make_jobs(tx, due)
    tx.dialect.insert(tx.connection, schedule_firing, [row for one in due for row in one.rows])
    _set_next(tx, due)
    for one in due:
        _record(tx, one)
    return len(rows)


def _due(tx: Tx, rows: Iterable[Row[Any]]) -> list[_Due]:
    """Return the due times of the schedules, in few enough jobs for one transaction. A schedule
    whose rule cannot be read here, say because its time zone is not known, is paused."""
    found: list[_Due] = []
    jobs = 0
    for row in rows:
        if jobs >= MOST_JOBS_AT_ONCE:
            break
        spec = spec_of(row)
        try:
            one = _Due(row, spec, _due_times(row, spec, tx.now))
        except ValueError as error:
            set_paused(tx, row.id, spec, paused=True)
            record(tx, t.SCHEDULE_PAUSED, row.id, spec, ACTOR, reason=str(error))
            continue
        found.append(one)
        jobs += len(one.firings.fire)
    return found


def _due_times(row: Row[Any], spec: Schedule, now: int) -> Firings:
    if row.as_of - AHEAD_MS > now:  # the next time may be years away
        return Firings((), (), spec.next_after(now))
    return firings(spec, row.id, row.next_due, now)


def _decide(tx: Tx, due: Sequence[_Due]) -> None:
    """Add a row for each due time that has none yet."""
    known = _known(tx, due)
    narrow = [one.row.id for one in due if one.spec.overlap is not Overlap.ALLOW]
    open_jobs = _counts(tx, job.c.schedule_id, narrow, job_is_open)
    waiting = _counts(tx, schedule_firing.c.schedule_id, narrow, is_waiting)
    for one in due:
        schedule_id, overlap = one.row.id, one.spec.overlap
        for place, at in enumerate(one.firings.missed):
            if (schedule_id, at) not in known:
                others = one.firings.more_missed and not place
                one.add(
                    tx, at, FiringState.MISSED, "earlier ones were missed too" if others else ""
                )
        for at in one.firings.fire:
            if (schedule_id, at) in known:
                continue
            busy = bool(open_jobs[schedule_id] or waiting[schedule_id])
            if overlap is Overlap.ALLOW or not busy:
                one.add(tx, at, FiringState.FIRED)
                open_jobs[schedule_id] += 1
            elif overlap is Overlap.QUEUE and waiting[schedule_id] < MOST_WAITING:
                one.add(tx, at, FiringState.WAITING)
                waiting[schedule_id] += 1
            else:
                one.add(tx, at, FiringState.SKIPPED, "a job of the schedule was open")


def _known(tx: Tx, due: Sequence[_Due]) -> set[tuple[int, int]]:
    """Those due times that have a row already: the clock was set back, or the rule was edited."""
    times = [[one.row.id, at] for one in due for at in (*one.firings.missed, *one.firings.fire)]
    found = tx.connection.execute(known_statement(tx.dialect), {"item": packed(times)})
    return {(row.schedule_id, row.due_at) for row in found}


def _counts(
    tx: Tx, of: ColumnElement[int], ids: Sequence[int], which: ColumnElement[bool]
) -> Counter[int]:
    if not ids:
        return Counter()
    query = select(of, func.count()).where(of.in_(ids), which).group_by(of)
    return Counter({row[0]: row[1] for row in tx.connection.execute(query)})


def _make_jobs(tx: Tx, due: Sequence[_Due]) -> None:
    """Make the jobs of the firings. One whose template has become invalid fails alone."""
    wanted = [
        (one.spec, row) for one in due for row in one.rows if row["state"] == FiringState.FIRED
    ]
    try:
        made = _create(tx, wanted)
    except InvalidInput:
        for spec, row in wanted:
            try:
                (row["job_id"],) = _create(tx, [(spec, row)])
            except InvalidInput as error:
                row |= {"state": FiringState.FAILED.value, "reason": str(error)}
        return
    for (_, row), job_id in zip(wanted, made, strict=True):
        row["job_id"] = job_id


def _create(tx: Tx, wanted: Sequence[tuple[Schedule, Mapping[str, Any]]]) -> list[int]:
    """Return the ids of new jobs. Raises InvalidInput before anything is written."""
    if not wanted:
        return []
    commands = [
        CreateJobs((replace(spec.job, source=f"schedule {spec.name}"),), ACTOR, row["schedule_id"])
        for spec, row in wanted
    ]
    ids: list[int] = []
    for answer in CreateJobs.apply(tx, commands):
        if isinstance(answer, Exception):
            raise answer
        ids += answer
    return ids


def _set_next(tx: Tx, due: Sequence[_Due]) -> None:
    items = []
    for one in due:
        columns = next_columns(one.spec, one.row.id, one.firings.next_due, tx.now)
        items.append([one.row.id, columns["next_due"], columns["fires_at"], columns["as_of"]])
    tx.connection.execute(next_statement(tx.dialect), {"item": packed(items)})


def _record(tx: Tx, one: _Due) -> None:
    for state, transition in _EVENTS.items():
        rows = [row for row in one.rows if row["state"] == state]
        if rows:
            jobs = [row["job_id"] for row in rows if row["job_id"] is not None]
            details = {"due": [row["due_at"] for row in rows], "jobs": jobs}
            reason = rows[-1]["reason"]
            record(tx, transition, one.row.id, one.spec, ACTOR, reason=reason, details=details)


def _release_waiting(tx: Tx) -> int:
    """Make the jobs of due times that waited for a job that is over."""
    rows = tx.connection.execute(released_and_locked()).all()
    if not rows:
        return 0
    due = [_Due(row, spec_of(row), Firings((row.due_at,), (), None)) for row in rows]
    for one in due:
        one.add(tx, one.row.due_at, FiringState.FIRED)
    _make_jobs(tx, due)
    for one in due:
        (firing,) = one.rows
        values = {name: firing[name] for name in ("state", "job_id", "fired_at", "reason")}
        tx.connection.execute(
            update(schedule_firing)
            .where(schedule_firing.c.id == one.row.firing_id)
            .values(**values)
        )
        _record(tx, one)
    return len(rows)
