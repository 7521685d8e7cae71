"""The routes about schedules."""

from collections.abc import Sequence
from typing import Any

from cnc_station.engine.commands import (
    ActOnSchedules,
    CreateSchedule,
    DeleteSchedule,
    EditSchedule,
    PauseSchedule,
    ResumeSchedule,
    TriggerSchedule,
)
from cnc_station.engine.domain.schedule import Schedule
from cnc_station.engine.queries import (
    JobById,
    ListSchedules,
    PreviewSchedule,
    ScheduleById,
    ScheduleRuns,
)
from cnc_station.engine.views import ScheduleRow
from cnc_station.web.api.job_values import AnswersOut, JobDetailOut
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import Call, Reply, Route, check_version, etag
from cnc_station.web.api.schedule_values import (
    FiringOut,
    FiringsIn,
    FiringsOut,
    PreviewOut,
    ReasonIn,
    ScheduleActionsIn,
    ScheduleFields,
    ScheduleIn,
    ScheduleOut,
    SchedulesOut,
)
from cnc_station.web.api.values import PageIn


async def _schedule(call: Call, schedule_id: int) -> ScheduleRow:
    row = await call.door.ask(ScheduleById(schedule_id))
    if row is None:
        raise not_found(f"schedule {schedule_id}")
    return row


def _told(row: ScheduleRow, status: int = 200) -> Reply:
    headers = dict(etag(row.version))
    if status == 201:
        headers["Location"] = f"/api/v1/schedules/{row.id}"
    return Reply(ScheduleOut.of(row), status, headers)


async def _create(call: Call) -> Reply:
    schedule_id = await call.door.execute(CreateSchedule(call.body.spec()))
    return _told(await _schedule(call, schedule_id), 201)


async def _show_list(call: Call) -> Reply:
    query: PageIn = call.query
    rows = await call.door.ask(ListSchedules())
    schedules = [ScheduleOut.of(row) for row in query.of(rows)]
    return Reply(SchedulesOut(schedules=schedules, **query.told(len(rows))))


async def _show(call: Call) -> Reply:
    return _told(await _schedule(call, call.path["id"]))


async def _edit(call: Call) -> Reply:
    """Change fields of a schedule. A change of its times counts from now on."""
    row = await _schedule(call, call.path["id"])
    check_version(call, row.version)
    names = ("name", "cron", "time_zone", "job", "catch_up", "overlap", "jitter_s")
    present = {name: getattr(row.spec, name) for name in (*names, "starts_at", "ends_at")}
    spec = Schedule(**present | call.body.given(), paused=row.spec.paused)
    await call.door.execute(EditSchedule(row.id, spec, row.version))
    return _told(await _schedule(call, row.id))


async def _delete(call: Call) -> Reply:
    """Delete a schedule with its history; its jobs stay."""
    row = await _schedule(call, call.path["id"])
    check_version(call, row.version)
    await call.door.execute(DeleteSchedule(row.id))
    return Reply(None, 204)


async def _pause(call: Call) -> Reply:
    row = await _schedule(call, call.path["id"])
    await call.door.execute(PauseSchedule(row.id, call.body.reason))
    return _told(await _schedule(call, row.id))


async def _resume(call: Call) -> Reply:
    row = await _schedule(call, call.path["id"])
    await call.door.execute(ResumeSchedule(row.id))
    return _told(await _schedule(call, row.id))


async def _trigger(call: Call) -> Reply:
    """Make a job of a schedule now."""
    row = await _schedule(call, call.path["id"])
    job_id = await call.door.execute(TriggerSchedule(row.id, call.trace_id))
    detail = await call.door.ask(JobById(job_id))
    if detail is None:  # deleted by somebody just now
        raise not_found(f"job {job_id}")
    location = {"Location": f"/api/v1/jobs/{job_id}"}
    return Reply(JobDetailOut.of_detail(detail), 201, location)


async def _act_on_many(call: Call) -> Reply:
    """Do one thing to several schedules; an answer for each."""
    body: ScheduleActionsIn = call.body
    answers = await call.door.execute(ActOnSchedules(body.chosen(), body.ids, body.reason))
    refused = {answer.id for answer in answers if not answer.applied}
    there = await call.door.ask(ListSchedules()) if refused else ()
    missing = refused - {row.id for row in there}
    done = sum(answer.applied for answer in answers)
    return Reply(AnswersOut.of(answers, done, len(answers) - done, missing))


async def _runs(call: Call) -> Reply:
    row = await _schedule(call, call.path["id"])
    runs = await call.door.ask(ScheduleRuns(row.id, call.query.limit, call.query.before))
    return Reply(FiringsOut(runs=[FiringOut.of(run) for run in runs]))


async def _preview(call: Call) -> Reply:
    """The next times of a schedule that need not be stored."""
    return Reply(PreviewOut.of(await call.door.ask(PreviewSchedule(call.body.spec()))))


_ONE: Any = {200: ScheduleOut}

ROUTES: Sequence[Route] = (
    Route(
        "POST",
        "/schedules",
        "Add a schedule",
        CreateSchedule,
        _create,
        {201: ScheduleOut},
        body=(ScheduleIn,),
        creates=True,
        refuses=(409,),
    ),
    Route(
        "GET",
        "/schedules",
        "List schedules",
        ListSchedules,
        _show_list,
        {200: SchedulesOut},
        query=PageIn,
    ),
    Route(
        "POST",
        "/schedules/preview",
        "Show the next times of a schedule",
        PreviewSchedule,
        _preview,
        {200: PreviewOut},
        body=(ScheduleIn,),
    ),
    Route(
        "POST",
        "/schedules/actions",
        "Act on several schedules",
        ActOnSchedules,
        _act_on_many,
        {200: AnswersOut},
        body=(ScheduleActionsIn,),
    ),
    Route("GET", "/schedules/{id}", "Show a schedule", ScheduleById, _show, _ONE, refuses=(404,)),
    Route(
        "PATCH",
        "/schedules/{id}",
        "Change a schedule",
        EditSchedule,
        _edit,
        _ONE,
        body=(ScheduleFields,),
        conditional=True,
        refuses=(404, 409, 412),
    ),
    Route(
        "DELETE",
        "/schedules/{id}",
        "Delete a schedule",
        DeleteSchedule,
        _delete,
        {204: None},
        conditional=True,
        refuses=(404, 409, 412),
    ),
    Route(
        "POST",
        "/schedules/{id}/pause",
        "Pause a schedule",
        PauseSchedule,
        _pause,
        _ONE,
        body=(ReasonIn,),
        refuses=(404, 409),
    ),
    Route(
        "POST",
        "/schedules/{id}/resume",
        "Resume a schedule",
        ResumeSchedule,
        _resume,
        _ONE,
        refuses=(404, 409),
    ),
    Route(
        "POST",
        "/schedules/{id}/trigger",
        "Make a job of a schedule now",
        TriggerSchedule,
        _trigger,
        {201: JobDetailOut},
        creates=True,
        refuses=(404, 409),
    ),
    Route(
        "GET",
        "/schedules/{id}/runs",
        "List what came of the times of a schedule",
        ScheduleRuns,
        _runs,
        {200: FiringsOut},
        query=FiringsIn,
        refuses=(404,),
    ),
)
