"""Everything about one job."""

import json

from sqlalchemy import ColumnElement, Connection, select

from cnc_station.engine.domain.job import is_automation
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.store.queries.context import STANDALONE, QueryContext
from cnc_station.engine.store.queries.history import runs
from cnc_station.engine.store.queries.job_rows import JobReader
from cnc_station.engine.store.queries.shop_snapshots import title
from cnc_station.engine.store.schema import dependency, job
from cnc_station.engine.views import JobDetail, JobLink


def job_detail(
    connection: Connection,
    job_id: int,
    now: int,
    *,
    context: QueryContext = STANDALONE,
) -> JobDetail | None:
    """One job with its runs (newest first), what it comes after and what it comes before."""
    found = JobReader(connection, now, context=context).rows([job_id])
    if not found:
        return None
    more = connection.execute(
        select(
            job.c.handler,
            job.c.payload,
            job.c.retry_limit,
            job.c.timeout_s,
            job.c.axes,
            job.c.trace_id,
        ).where(job.c.id == job_id)
    ).one()
    return JobDetail(
        row=found[0],
        handler=more.handler,
        payload=json.loads(more.payload),
        retry_limit=context.retry.limit(more.retry_limit, automation=is_automation(more.handler)),
        timeout_s=more.timeout_s,
        axes=more.axes,
        trace_id=more.trace_id,
        runs=runs(connection, job_id=job_id),
        after=_links(connection, dependency.c.predecessor_id, dependency.c.job_id == job_id),
        before=_links(connection, dependency.c.job_id, dependency.c.predecessor_id == job_id),
    )


def _links(
    connection: Connection, other: ColumnElement[int], where: ColumnElement[bool]
) -> tuple[JobLink, ...]:
    query = (
        select(job.c.id, job.c.name, job.c.operation, job.c.state)
        .join_from(dependency, job, job.c.id == other)
        .where(where)
        .order_by(job.c.id)
    )
    return tuple(
        JobLink(row.id, title(row.name, row.operation), JobState(row.state))
        for row in connection.execute(query)
    )
