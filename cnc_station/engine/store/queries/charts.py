"""The charts of the floor: series in equal buckets, and every machine's intervals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.states import WAITING_JOBS, RunState
from cnc_station.engine.domain.transitions import DELETED, JOB_TRANSITIONS, Transition
from cnc_station.engine.store.queries.state_intervals import intervals, utilisation
from cnc_station.engine.store.schema import counted, event, job, run
from cnc_station.engine.views import Charts, Series

MOST_BUCKETS = 2_000


def charts(connection: Connection, since: int, step: int, now: int) -> Charts:
    """Series from `since` to `now` (ms) in buckets of `step` ms; the last one may be partial.

    Raises InvalidInput for a step that makes no buckets or too many.
    """
    if step <= 0 or not 0 <= now - since <= step * MOST_BUCKETS:
        raise InvalidInput(FieldError("step", f"from 1 to {MOST_BUCKETS} buckets"))
    buckets = max(1, -(-(now - since) // step))
    ended = _runs_ended(connection, since, step)
    drawn = intervals(connection, since, now)

    def series(values: Iterable[float]) -> Series:
        return Series(since, step, tuple(values))

    return Charts(
        completed=series(ended[RunState.SUCCEEDED, n] for n in range(buckets)),
        failed=series(ended[RunState.FAILED, n] for n in range(buckets)),
        waiting=series(_waiting(connection, since, step, buckets)),
        utilisation=series(utilisation(drawn, since, step, buckets)),
        intervals=drawn,
    )


def _bucket(at: ColumnElement[int], since: int, step: int) -> ColumnElement[int]:
    return ((at - since) // step).label("bucket")


def _runs_ended(connection: Connection, since: int, step: int) -> Mapping[tuple[str, int], int]:
    query = (
        select(run.c.state, _bucket(run.c.ended_at, since, step), func.count().label("runs"))
        .where(run.c.ended_at >= since)
        .group_by("state", "bucket")
    )
    found: dict[tuple[str, int], int] = defaultdict(int)
    found.update(((row.state, row.bucket), row.runs) for row in connection.execute(query))
    return found


def _waited_before(row: Transition) -> bool | None:
    """Whether a job waited before this transition; None if only its history tells."""
    if row.job is None or not row.job.sources & WAITING_JOBS:
        return False
    return True if row.job.sources <= WAITING_JOBS else None


# The events after which a job starts or stops waiting.
_MOVES = {
    name: _waited_before(row)
    for name, row in JOB_TRANSITIONS.items()
    if row.job is not None
    and (row.job.target is not None or row is DELETED)
    and (row.job.target in WAITING_JOBS) is not _waited_before(row)
}
_CLEAR = sorted(name for name, before in _MOVES.items() if before is not None)
_UNCLEAR = sorted(name for name, before in _MOVES.items() if before is None)


def _waiting(connection: Connection, since: int, step: int, buckets: int) -> list[float]:
    """Count the jobs waiting at each bucket's end, backwards from those that wait now."""
    waiting = connection.execute(
        select(func.count()).where(job.c.state.in_(sorted(WAITING_JOBS)), counted)
    ).scalar_one()
    change: dict[int, int] = defaultdict(int)
    for row in connection.execute(_clear_moves(since, step)):
        after = row.job_state in WAITING_JOBS
        change[row.bucket] += (after - bool(_MOVES[row.type])) * row.events
    for row in connection.execute(_unclear_moves(since, step)):
        after, before = row.job_state in WAITING_JOBS, row.state_before in WAITING_JOBS
        change[row.bucket] += after - before
    values = [0.0] * buckets
    for place in reversed(range(buckets)):
        values[place] = float(waiting)
        waiting -= change[place]
    return values


def _clear_moves(since: int, step: int) -> Select[Any]:
    return (
        select(
            _bucket(event.c.at, since, step),
            event.c.type,
            event.c.job_state,
            func.count().label("events"),
        )
        .where(event.c.at >= since, event.c.type.in_(_CLEAR))
        .group_by("bucket", event.c.type, event.c.job_state)
    )


def _unclear_moves(since: int, step: int) -> Select[Any]:
    earlier = event.alias("earlier")
    before = (
        select(earlier.c.job_state)
        .where(earlier.c.job_id == event.c.job_id, earlier.c.id < event.c.id)
        .order_by(earlier.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(
        _bucket(event.c.at, since, step), event.c.job_state, before.label("state_before")
    ).where(event.c.at >= since, event.c.type.in_(_UNCLEAR))
