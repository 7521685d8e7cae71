"""The job table: a page of a filtered, sorted list, and its counts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo

from sqlalchemy import Connection, Select, case, func, select

from cnc_station.engine.domain.retry import RetryPolicy
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.timewords import midnight
from cnc_station.engine.store.queries.choice import (
    conditions,
    needs_machine,
    sorted_by,
)
from cnc_station.engine.store.queries.job_rows import JobReader
from cnc_station.engine.store.schema import counted, job, machine
from cnc_station.engine.views import JobCounts, JobFilter, JobPage, JobRow, Sort


def job_page(
    connection: Connection,
    chosen: JobFilter,
    order: Sequence[Sort],
    offset: int,
    limit: int,
    now: int,
    *,
    policy: RetryPolicy | None = None,
    zone: tzinfo | None = None,
) -> JobPage:
    """Rows `offset` to `offset + limit` of the chosen jobs in this order, and how many there are.

    An offset past the end answers with no rows and the true total.
    """
    ids, total = _page_ids(connection, chosen, order, max(0, offset), max(0, limit), now)
    rows = JobReader(connection, now, policy=policy, zone=zone).rows(ids)
    return JobPage(rows, offset, total)


def jobs_by_id(
    connection: Connection,
    ids: Sequence[int],
    now: int,
    *,
    policy: RetryPolicy | None = None,
    zone: tzinfo | None = None,
) -> tuple[JobRow, ...]:
    """These jobs in the order asked for; those that are gone are left out."""
    return JobReader(connection, now, policy=policy, zone=zone).rows(ids)


def ordered_ids(
    chosen: JobFilter, order: Sequence[Sort], now: int, *, backwards: bool = False
) -> Select[int]:
    """The ids of the chosen jobs in this order."""
    query = select(job.c.id).where(*conditions(chosen, now, order))
    if needs_machine(order):
        query = query.join_from(job, machine, machine.c.id == job.c.machine_id, isouter=True)
    return query.order_by(*sorted_by(order, backwards=backwards))


def _page_ids(
    connection: Connection,
    chosen: JobFilter,
    order: Sequence[Sort],
    offset: int,
    limit: int,
    now: int,
) -> tuple[list[int], int]:
    """Sorting costs by how far in the page begins, so a page of the second half is read from
    the end; and a first page that is not full has told the total already."""
    if offset == 0:
        first = _ids(connection, ordered_ids(chosen, order, now).limit(limit))
        if len(first) < limit:
            return first, len(first)
        return first, _count(connection, chosen, now)
    total = _count(connection, chosen, now)
    limit = min(limit, total - offset)
    if limit <= 0:
        return [], total
    behind = total - offset - limit
    if behind < offset:
        query = ordered_ids(chosen, order, now, backwards=True).limit(limit).offset(behind)
        return _ids(connection, query)[::-1], total
    return _ids(connection, ordered_ids(chosen, order, now).limit(limit).offset(offset)), total


def _ids(connection: Connection, query: Select[int]) -> list[int]:
    return list(connection.execute(query).scalars())


def _count(connection: Connection, chosen: JobFilter, now: int) -> int:
    query = select(func.count()).select_from(job).where(*conditions(chosen, now, None))
    return connection.execute(query).scalar_one()


def job_counts(
    connection: Connection, chosen: JobFilter, now: int, *, zone: tzinfo | None = None
) -> JobCounts:
    """Counts per state of the chosen jobs, the filter's own `states` and `late` left out."""
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
        .where(*conditions(chosen, now, None), counted)
        .group_by(job.c.state)
    )
    rows = connection.execute(query).all()
    return JobCounts(
        {JobState(row.state): row.jobs for row in rows},
        sum(row.late for row in rows),
        sum(row.today for row in rows),
    )


def _all_counts(connection: Connection, now: int, today: int) -> JobCounts:
    """The same of all jobs, each from an index alone."""
    states = select(job.c.state, func.count()).where(counted).group_by(job.c.state)
    finished_today = (
        select(func.count())
        .select_from(job)
        .where(job.c.finished_at >= today, job.c.state == JobState.COMPLETED.value)
    )
    return JobCounts(
        {JobState(state): count for state, count in connection.execute(states)},
        _count(connection, JobFilter(late=True), now),
        connection.execute(finished_today).scalar_one(),
    )
