"""Answers about jobs, their runs and their events."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, select

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.answers.limits import account_of, counted, limits_of
from cnc_station.engine.answers.tenants import refuse_other_tenants
from cnc_station.engine.domain.checks import MOST_ID
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.event import Event
from cnc_station.engine.domain.job import EDITABLE, JobSpec
from cnc_station.engine.domain.states import LIVE_RUNS
from cnc_station.engine.handlers.intake import accept
from cnc_station.engine.store import edits
from cnc_station.engine.store.attachments import CopyJob
from cnc_station.engine.store.jobs import CreateJobs
from cnc_station.engine.store.limits import CreateWithinLimits
from cnc_station.engine.store.queries import event_feed, export, history, job_list
from cnc_station.engine.store.schema import job
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import (
    ExportPart,
    JobCounts,
    JobDetail,
    JobPage,
    JobRow,
    JobsPart,
    RunDetail,
    RunRow,
)
from cnc_station.engine.views.event_feed import EventFeed


async def submit_jobs(
    context: AnswerContext, command: commands.SubmitJobs, actor: str
) -> tuple[int, ...]:
    """See `SubmitJobs`."""
    return await create_jobs(context, command.specs, actor, command.trace_id)


async def create_jobs(
    context: AnswerContext, specs: Sequence[JobSpec], actor: str, trace_id: str
) -> tuple[int, ...]:
    """Store new jobs, all or none. Raises InvalidInput, LimitReached."""
    checked = tuple(accepted(context, spec) for spec in specs)
    refuse_other_tenants(context, (spec.tenant for spec in checked))
    create = CreateJobs(checked, actor, trace_id=trace_id)
    limits = limits_of(context, actor, (spec.tenant for spec in checked))
    account_id = account_of(actor)
    if limits is None or account_id is None:
        return await context.writer.write(create)
    return await counted(context, CreateWithinLimits(create, account_id, limits))


def accepted(context: AnswerContext, spec: JobSpec) -> JobSpec:
    """Return a spec as it is stored, for a new job or a schedule. Raises InvalidInput."""
    return accept(spec, context.handlers, alone=context.alone)


async def edit_job(context: AnswerContext, command: commands.EditJob, actor: str) -> None:
    """See `EditJob`."""
    changes = dict(command.changes)
    if not changes.keys().isdisjoint({"handler", "payload"}):
        spec = await context.reader.read(partial(stored_spec, job_id=command.job_id))
        if spec is not None and changes.keys() <= EDITABLE:  # otherwise the writer refuses it
            new = replace(spec, **changes)
            stored = accepted(context, new)
            changes |= {name: getattr(stored, name) for name in changes}
    await context.writer.write(
        edits.EditJob(command.job_id, changes, actor, command.version, command.retry)
    )


async def duplicate_job(context: AnswerContext, command: commands.DuplicateJob, actor: str) -> int:
    """See `DuplicateJob`."""
    spec = await context.reader.read(partial(stored_spec, job_id=command.job_id))
    if spec is None:
        raise Conflict(f"There is no job {command.job_id}.")
    copy = replace(spec, external_id="", source=f"copy of job {command.job_id}")
    checked = accepted(context, copy)
    refuse_other_tenants(context, (checked.tenant,))
    create = CreateJobs((checked,), actor, trace_id=command.trace_id)
    (job_id,) = await context.writer.write(CopyJob(create, command.job_id))
    return job_id


def stored_spec(connection: Connection, job_id: int) -> JobSpec | None:
    """Return a job as it was last submitted or edited; None if it does not exist."""
    row = connection.execute(select(job).where(job.c.id == job_id)).one_or_none()
    return None if row is None else edits.spec_of(row)


async def list_jobs(context: AnswerContext, query: queries.ListJobs) -> JobPage:
    """See `ListJobs`."""
    return await context.read_forecast(
        job_list.job_page,
        chosen=query.chosen,
        order=query.order,
        offset=query.offset,
        limit=query.limit,
        with_next=query.with_next,
    )


async def jobs_by_id(context: AnswerContext, query: queries.JobsById) -> tuple[JobRow, ...]:
    """See `JobsById`."""
    return await context.read_forecast(
        job_list.jobs_by_id, ids=query.ids, with_next=query.with_next
    )


async def count_jobs(context: AnswerContext, query: queries.CountJobs) -> JobCounts:
    """See `CountJobs`."""
    return await context.reader.read(
        partial(
            job_list.job_counts,
            chosen=query.chosen,
            now=now_ms(),
            narrowed=query.narrowed,
            zone=context.zone,
        )
    )


async def job_by_id(context: AnswerContext, query: queries.JobById) -> JobDetail | None:
    """See `JobById`."""
    if not 0 < query.job_id <= MOST_ID:  # a scanned code may have any number of digits
        return None
    return await context.read_forecast(history.job_detail, job_id=query.job_id)


async def export_jobs(context: AnswerContext, query: queries.ExportJobs) -> bytes:
    """See `ExportJobs`."""
    return await context.read_forecast(
        export.export, chosen=query.chosen, order=query.order, form=query.form
    )


async def export_jobs_after(context: AnswerContext, query: queries.ExportJobsAfter) -> ExportPart:
    """See `ExportJobsAfter`."""
    return await context.read_forecast(export.export_part, chosen=query.chosen, after=query.after)


async def list_jobs_after(context: AnswerContext, query: queries.ListJobsAfter) -> JobsPart:
    """See `ListJobsAfter`."""
    return await context.read_forecast(export.jobs_after, chosen=query.chosen, after=query.after)


async def list_events(context: AnswerContext, query: queries.ListEvents) -> tuple[Event, ...]:
    """See `ListEvents`."""
    return await context.reader.read(
        partial(
            history.events,
            job_id=query.job_id,
            machine_id=query.machine_id,
            after=query.after,
            limit=query.limit,
            newest=query.newest,
            types=query.types,
        )
    )


async def events_since(context: AnswerContext, query: queries.EventsSince) -> EventFeed:
    """See `EventsSince`."""
    since = partial(
        event_feed.events_since, after=query.after, until=query.until, limit=query.limit
    )
    return await context.reader.read_in_dialect(since)


async def list_runs(context: AnswerContext, query: queries.ListRuns) -> tuple[RunRow, ...]:
    """See `ListRuns`."""
    return await context.reader.read(partial(history.runs, chosen=query))


async def count_runs(context: AnswerContext, query: queries.CountRuns) -> int:
    """See `CountRuns`."""
    return await context.reader.read(partial(history.run_count, chosen=query.chosen))


async def run_by_id(context: AnswerContext, query: queries.RunById) -> RunDetail | None:
    """See `RunById`."""
    if not 0 < query.run_id <= MOST_ID:
        return None
    found = await context.reader.read(partial(history.run_detail, run_id=query.run_id))
    if found is None or found.row.state not in LIVE_RUNS:
        return found
    services = context.running()
    output = None if services is None else services.active_runs.output(query.run_id)
    return replace(found, output=output or found.output, live=bool(found.row.handler))
