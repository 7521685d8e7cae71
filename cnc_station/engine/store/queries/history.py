"""The history: events and runs, and everything about one job."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, func, select

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.job import is_automation
from cnc_station.engine.domain.states import JobState, RunState
from cnc_station.engine.queries import ListRuns
from cnc_station.engine.store.claims import envelope
from cnc_station.engine.store.queries.context import STANDALONE, QueryContext
from cnc_station.engine.store.queries.job_rows import JobReader
from cnc_station.engine.store.queries.run_filters import run_conditions
from cnc_station.engine.store.schema import dependency, event, job, machine, run
from cnc_station.engine.views import (
    MOST_OUTPUT,
    JobDetail,
    JobLink,
    RunDetail,
    RunFilter,
    RunOutput,
    RunRow,
    job_title,
)

_EVENT_AS_STORED = tuple(
    field.name
    for field in fields(Event)
    if field.name not in {"job_state", "details", "role", "origin"}
)
_RUN_AS_STORED = tuple(
    field.name
    for field in fields(RunRow)
    if field.name not in {"job", "machine", "state", "handler"}
)
_RUNS: Select[Any] = (
    select(
        *(run.c[name] for name in (*_RUN_AS_STORED, "state")),
        job.c.name,
        job.c.operation,
        job.c.handler,
        machine.c.name.label("machine"),
    )
    .join_from(run, job, job.c.id == run.c.job_id)
    .join(machine, machine.c.id == run.c.machine_id, isouter=True)
)


# What a list of jobs does not read.
_MORE: Sequence[ColumnElement[Any]] = (
    *(job.c.payload, job.c.retry_limit, job.c.timeout_s, job.c.axes, job.c.trace_id),
    *(job.c.schedule_id, job.c.size_x, job.c.size_y, job.c.size_z),
)


def events(
    connection: Connection,
    *,
    job_id: int | None = None,
    machine_id: int | None = None,
    after: int = 0,
    limit: int = 500,
    newest: bool = False,
    types: Collection[str] = (),
) -> tuple[Event, ...]:
    """Events with an id above `after`, oldest first: the first ones, or the `newest`."""
    order = event.c.id.desc() if newest else event.c.id
    query = select(event).where(event.c.id > after).order_by(order).limit(limit)
    if job_id is not None:
        query = query.where(event.c.job_id == job_id)
    if types:
        query = query.where(event.c.type.in_(sorted(types)))
    if machine_id is not None:
        query = query.where(event.c.machine_id == machine_id)
    rows = connection.execute(query).all()
    return tuple(event_of(row) for row in (reversed(rows) if newest else rows))


def event_of(row: Row[Any]) -> Event:
    """A row of the event table."""
    return Event(
        **{name: getattr(row, name) for name in _EVENT_AS_STORED},
        job_state=JobState(row.job_state) if row.job_state else None,
        details=json_text.stored_object(row.details),
        role=row.role or "",
        origin=row.origin or "",
    )


def runs(connection: Connection, chosen: ListRuns) -> tuple[RunRow, ...]:
    """The runs that the query selects, newest first."""
    # By attempt for one job: run ids of several stations are not in the order of time.
    newest = run.c.id if chosen.job_id is None else run.c.attempt
    query = _RUNS.where(*run_conditions(chosen)).order_by(newest.desc())
    query = query.limit(chosen.limit).offset(chosen.offset)
    return tuple(_run_of(row) for row in connection.execute(query))


def run_count(connection: Connection, chosen: RunFilter) -> int:
    """The number of runs that the filter selects. The jobs are joined only where they decide."""
    source: FromClause = run
    if chosen.handler is not None or chosen.text:
        source = run.join(job, job.c.id == run.c.job_id)
        source = source.join(machine, machine.c.id == run.c.machine_id, isouter=True)
    query = select(func.count()).select_from(source).where(*run_conditions(chosen))
    return connection.execute(query).scalar_one()


def _run_of(row: Row[Any]) -> RunRow:
    return RunRow(
        **{name: getattr(row, name) for name in _RUN_AS_STORED},
        job=job_title(row.name, row.operation),
        machine=row.machine or row.handler,
        state=RunState(row.state),
        handler=row.handler if row.machine_id is None else "",
    )


def run_detail(connection: Connection, run_id: int) -> RunDetail | None:
    """One run with what is stored of its output."""
    more = (job.c.payload, run.c.output, run.c.output_size)
    row = connection.execute(_RUNS.add_columns(*more).where(run.c.id == run_id)).one_or_none()
    if row is None:
        return None
    text, size = row.output or "", row.output_size or 0
    kept = RunOutput(text, size, truncated=size > MOST_OUTPUT)
    return RunDetail(_run_of(row), json_text.stored_object(row.payload), kept)


def job_detail(
    connection: Connection, job_id: int, now: int, *, context: QueryContext = STANDALONE
) -> JobDetail | None:
    """One job with its runs (newest first), its predecessors and successors."""
    found = JobReader(connection, now, context=context).rows([job_id])
    if not found:
        return None
    more = connection.execute(select(*_MORE).where(job.c.id == job_id)).one()
    return JobDetail(
        row=found[0],
        payload=json_text.stored_object(more.payload),
        retry_limit=context.retry.limit(
            more.retry_limit, automation=is_automation(found[0].handler)
        ),
        timeout_s=more.timeout_s,
        axes=more.axes,
        envelope=envelope(more),
        trace_id=more.trace_id,
        schedule_id=more.schedule_id,
        runs=runs(connection, ListRuns(job_id=job_id)),
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
        JobLink(row.id, job_title(row.name, row.operation), JobState(row.state))
        for row in connection.execute(query)
    )
