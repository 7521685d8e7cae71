"""The job table: a page of a filtered, sorted list, and its counts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo

from sqlalchemy import Connection, Select, case, func, select

from cnc_station.engine.domain.states import OPEN_JOBS, JobState
from cnc_station.engine.domain.time_text import midnight
from cnc_station.engine.store.queries.context import STANDALONE, QueryContext
from cnc_station.engine.store.queries.job_filters import (
    conditions,
    few_open,
    in_index_order,
    is_by_end,
    may_be_few,
    sort_keys,
    sorted_by,
    source,
)
from cnc_station.engine.store.queries.job_rows import JobReader
from cnc_station.engine.store.queries.state_counts import state_counts
from cnc_station.engine.store.schema import job
from cnc_station.engine.views import JobCounts, JobFilter, JobPage, JobRow, Sort

_FAR = 5_000


def job_page(
    connection: Connection,
    chosen: JobFilter,
    order: Sequence[Sort],
    offset: int,
    limit: int,
    now: int,
    *,
    with_next: bool = False,
    context: QueryContext = STANDALONE,
) -> JobPage:
    """Rows `offset` to `offset + limit` of the chosen jobs in this order, and their number.

    An offset past the end returns no rows and the true total.
    """
    ids, total = _page_ids(connection, chosen, order, max(0, offset), max(0, limit), now)
    rows = JobReader(connection, now, context=context).rows(ids, with_next=with_next)
    return JobPage(rows, offset, total)


def jobs_by_id(
    connection: Connection,
    ids: Sequence[int],
    now: int,
    *,
    with_next: bool = False,
    context: QueryContext = STANDALONE,
) -> tuple[JobRow, ...]:
    """These jobs in the given order, without deleted ones."""
    return JobReader(connection, now, context=context).rows(ids, with_next=with_next)


def ordered_ids(
    chosen: JobFilter,
    order: Sequence[Sort],
    now: int,
    *,
    backwards: bool = False,
    few: bool = False,
) -> Select[int]:
    """The ids of the chosen jobs in this order. `few`: they are so few that an index finds them
    sooner than a scan in this order."""
    by_end = is_by_end(chosen, order)
    keys = sort_keys(order, by_end=by_end)
    query = select(job.c.id).select_from(source(order))
    if by_end:
        query = query.where(job.c.finished_at.is_not(None))
    return query.where(*conditions(chosen, now, None if few else order)).order_by(
        *sorted_by(order, keys, backwards=backwards)
    )


def _page_ids(
    connection: Connection,
    chosen: JobFilter,
    order: Sequence[Sort],
    offset: int,
    limit: int,
    now: int,
) -> tuple[list[int], int]:
    """Sorting costs more the further in the page begins: a page past the middle is read from the
    end. Some counts by state come from an index; all others are counted while sorting."""
    if offset < _FAR and chosen != JobFilter(states=chosen.states):
        return _ids_and_total(connection, chosen, order, offset, limit, now)
    total = _count(connection, chosen, now)
    limit = min(limit, total - offset)
    if limit <= 0:
        return [], total
    behind = total - offset - limit
    backwards = behind < offset
    few = total <= _FAR and not in_index_order(chosen, order)
    query = ordered_ids(chosen, order, now, backwards=backwards, few=few)
    page = query.limit(limit).offset(min(behind, offset))
    ids = list(connection.execute(page).scalars())
    return ids[::-1] if backwards else ids, total


def _ids_and_total(
    connection: Connection,
    chosen: JobFilter,
    order: Sequence[Sort],
    offset: int,
    limit: int,
    now: int,
) -> tuple[list[int], int]:
    """Read both from one scan: the filtered rows are kept, then counted and sorted."""
    keys = [key.label(f"key_{place}") for place, key in enumerate(sort_keys(order))]
    left = (
        select(*keys)
        .select_from(source(order))
        .where(*conditions(chosen, now, order, few_open=_few_open(connection, chosen)))
        .cte("chosen")
    )
    total = select(func.count()).select_from(left).scalar_subquery()
    columns = list(left.c)
    query = (
        select(columns[-1], total).order_by(*sorted_by(order, columns)).limit(limit).offset(offset)
    )
    rows = connection.execute(query).all()
    if not rows:
        return [], _count(connection, chosen, now) if offset or not limit else 0
    return [row[0] for row in rows], rows[0][1]


def _few_open(connection: Connection, chosen: JobFilter) -> bool:
    return may_be_few(chosen) and few_open(connection)


def _count(connection: Connection, chosen: JobFilter, now: int) -> int:
    if chosen == JobFilter(states=chosen.states) and not chosen.states <= OPEN_JOBS:
        return JobCounts(state_counts(connection, now), 0, 0).of(chosen.states)
    few = chosen != JobFilter(states=chosen.states) and _few_open(connection, chosen)
    where = conditions(chosen, now, None, few_open=few)
    query = select(func.count()).select_from(job).where(*where)
    return connection.execute(query).scalar_one()


def job_counts(
    connection: Connection,
    chosen: JobFilter,
    now: int,
    *,
    narrowed: bool = False,
    zone: tzinfo | None = None,
) -> JobCounts:
    """Counts per state of the chosen jobs, ignoring the filter's `states` and `late` unless
    `narrowed`."""
    if not narrowed:
        chosen = replace(chosen, states=frozenset(), late=False)
    today = midnight(now, zone)
    if chosen == JobFilter():
        return _all_counts(connection, now, today)
    late = job.c.finished_at.is_(None) & (job.c.due_at < now)
    completed_today = (job.c.state == JobState.COMPLETED.value) & (job.c.finished_at >= today)
    query = (
        select(
            job.c.state,
            func.count().label("jobs"),
            func.sum(case((late, 1), else_=0)).label("late"),
            func.sum(case((completed_today, 1), else_=0)).label("today"),
        )
        .where(*conditions(chosen, now, (), few_open=_few_open(connection, chosen)))
        .group_by(job.c.state)
    )
    rows = connection.execute(query).all()
    return JobCounts(
        {JobState(row.state): row.jobs for row in rows},
        sum(row.late for row in rows),
        sum(row.today for row in rows),
    )


def _all_counts(connection: Connection, now: int, today: int) -> JobCounts:
    """Count all jobs, each figure from an index alone."""
    finished_today = (
        select(func.count())
        .select_from(job)
        .where(job.c.finished_at >= today, job.c.state == JobState.COMPLETED.value)
    )
    return JobCounts(
        state_counts(connection, now),
        _count(connection, JobFilter(late=True), now),
        connection.execute(finished_today).scalar_one(),
    )
