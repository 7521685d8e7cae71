"""Answers about schedules. A principal of some tenants sees and changes theirs only."""

import asyncio
from dataclasses import replace
from functools import partial

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.answers.jobs import accepted
from cnc_station.engine.answers.tenants import refuse_other_tenants
from cnc_station.engine.domain import checks
from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.domain.checks import refuse
from cnc_station.engine.domain.errors import CncStationError, Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.schedule import Schedule
from cnc_station.engine.store import schedules as store
from cnc_station.engine.store.queries import schedule_rows
from cnc_station.engine.views import Answer, DueRow, SchedulePreview, ScheduleRow, ScheduleRun

MOST_ROWS = 10_000
MOST_HOURS = 366 * 24


async def create_schedule(
    context: AnswerContext, command: commands.CreateSchedule, actor: str
) -> int:
    """See `CreateSchedule`."""
    spec = _checked(context, command.spec)
    return await context.writer.write(store.CreateSchedule(spec, actor))


async def edit_schedule(context: AnswerContext, command: commands.EditSchedule, actor: str) -> None:
    """See `EditSchedule`."""
    (schedule_id,) = await _visible(context, command.schedule_id)
    spec = _checked(context, command.spec)
    await context.writer.write(store.EditSchedule(schedule_id, spec, actor, command.version))


async def pause_schedule(
    context: AnswerContext, command: commands.PauseSchedule, actor: str
) -> tuple[int, ...]:
    """See `PauseSchedule`."""
    ids = await _visible(context, command.schedule_id)
    pause = store.PauseSchedules(ids, paused=True, actor=actor, reason=command.reason)
    return await context.writer.write(pause)


async def resume_schedule(
    context: AnswerContext, command: commands.ResumeSchedule, actor: str
) -> tuple[int, ...]:
    """See `ResumeSchedule`."""
    ids = await _visible(context, command.schedule_id)
    return await context.writer.write(store.PauseSchedules(ids, paused=False, actor=actor))


async def trigger_schedule(
    context: AnswerContext, command: commands.TriggerSchedule, actor: str
) -> int:
    """See `TriggerSchedule`."""
    (schedule_id,) = await _visible(context, command.schedule_id)
    return await context.writer.write(store.TriggerSchedule(schedule_id, actor, command.trace_id))


async def act_on_schedules(
    context: AnswerContext, command: commands.ActOnSchedules, actor: str
) -> tuple[Answer, ...]:
    """See `ActOnSchedules`."""
    acts = (_act(context, command, schedule_id, actor) for schedule_id in command.schedule_ids)
    return tuple(await asyncio.gather(*acts))


async def _act(
    context: AnswerContext, command: commands.ActOnSchedules, schedule_id: int, actor: str
) -> Answer:
    try:
        match command.action:
            case ScheduleAction.PAUSE:
                pause = commands.PauseSchedule(schedule_id, command.reason)
                if not await pause_schedule(context, pause, actor):
                    return Answer(schedule_id, f"Schedule {schedule_id} is paused already.")
            case ScheduleAction.RESUME:
                resume = commands.ResumeSchedule(schedule_id)
                if not await resume_schedule(context, resume, actor):
                    return Answer(schedule_id, f"Schedule {schedule_id} is not paused.")
            case ScheduleAction.TRIGGER:
                trigger = commands.TriggerSchedule(schedule_id, command.trace_id)
                await trigger_schedule(context, trigger, actor)
            case ScheduleAction.DELETE:
                await delete_schedule(context, commands.DeleteSchedule(schedule_id), actor)
    except CncStationError as error:
        return Answer(schedule_id, str(error))
    return Answer(schedule_id)


async def delete_schedule(
    context: AnswerContext, command: commands.DeleteSchedule, actor: str
) -> None:
    """See `DeleteSchedule`."""
    (schedule_id,) = await _visible(context, command.schedule_id)
    await context.writer.write(store.DeleteSchedule(schedule_id, actor))


async def list_schedules(
    context: AnswerContext, _query: queries.ListSchedules
) -> tuple[ScheduleRow, ...]:
    """See `ListSchedules`."""
    return await context.reader.read_now(schedule_rows.schedules)


async def schedule_by_id(context: AnswerContext, query: queries.ScheduleById) -> ScheduleRow | None:
    """See `ScheduleById`."""
    if not 0 < query.schedule_id <= checks.MOST_ID:
        return None
    read = partial(schedule_rows.one_schedule, schedule_id=query.schedule_id)
    return await context.reader.read_now(read)


async def schedule_runs(
    context: AnswerContext, query: queries.ScheduleRuns
) -> tuple[ScheduleRun, ...]:
    """See `ScheduleRuns`."""
    refuse(checks.whole("limit", query.limit, 1, MOST_ROWS))
    refuse(checks.whole("schedule_id", query.schedule_id, 1, checks.MOST_ID))
    if query.before is not None:
        refuse(checks.whole("before", query.before, 0, checks.MOST_ID))
    read = partial(
        schedule_rows.schedule_runs,
        schedule_id=query.schedule_id,
        limit=query.limit,
        before=query.before,
    )
    return await context.reader.read(read)


async def preview_schedule(
    context: AnswerContext, query: queries.PreviewSchedule
) -> SchedulePreview:
    """See `PreviewSchedule`."""
    spec = _checked(context, query.spec)
    return await context.reader.read_now(lambda _, now: schedule_rows.preview(spec, now))


async def upcoming_runs(context: AnswerContext, query: queries.UpcomingRuns) -> tuple[DueRow, ...]:
    """See `UpcomingRuns`."""
    refuse(checks.whole("limit", query.limit, 1, MOST_ROWS))
    if not checks.number(query.hours) or not 0 < query.hours <= MOST_HOURS:
        raise InvalidInput(FieldError("hours", f"from 0 to {MOST_HOURS:,}"))
    read = partial(schedule_rows.upcoming, hours=query.hours, limit=query.limit)
    return await context.reader.read_now(read)


def _checked(context: AnswerContext, spec: Schedule) -> Schedule:
    """Return a schedule as it is stored, its template checked as any new job. Raises InvalidInput
    with every invalid field."""
    of_job: tuple[FieldError, ...] = ()
    try:
        spec = replace(spec, job=accepted(context, spec.job))
    except InvalidInput as error:
        of_job = tuple(FieldError(f"job.{one.field}", one.reason) for one in error.errors)
    try:
        spec = spec.validated()
    except InvalidInput as error:
        raise InvalidInput(*dict.fromkeys((*error.errors, *of_job))) from error
    refuse(of_job)
    refuse_other_tenants(context, (spec.tenant,))
    return spec


async def _visible(context: AnswerContext, schedule_id: int | None) -> tuple[int, ...]:
    """Return this schedule, or all that may be seen. Raises Conflict if there is none of this
    id."""
    if schedule_id is not None:
        refuse(checks.whole("schedule_id", schedule_id, 1, checks.MOST_ID))
    ids = None if schedule_id is None else (schedule_id,)
    found = await context.reader.read(partial(store.visible_schedules, ids=ids))
    if schedule_id is not None and not found:
        raise Conflict(f"There is no schedule {schedule_id}.")
    return found
