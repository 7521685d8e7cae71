"""The routes about schedules."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from cnc_station.engine.commands import (
    CreateSchedule,
    DeleteSchedule,
    EditSchedule,
    PauseSchedule,
    ResumeSchedule,
    TriggerSchedule,
)
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.schedule import CatchUp, FiringState, Overlap, Schedule
from cnc_station.engine.queries import (
    JobById,
    ListSchedules,
    PreviewSchedule,
    ScheduleById,
    ScheduleRuns,
)
from cnc_station.engine.views import DueRow, SchedulePreview, ScheduleRow, ScheduleRun
from cnc_station.web.api.job_values import JobDetailOut, JobIn
from cnc_station.web.api.problems import not_found
from cnc_station.web.api.route import Call, Reply, Route, check_version, etag
from cnc_station.web.api.values import Taken, TakenJson, TimeIn, TimeOut, Told

_POLICY = "^(skip|once|all)$"
_OVERLAP = "^(skip|queue|allow)$"


class ScheduleFields(TakenJson):
    """The fields of a schedule. `job` is the template of its jobs, any job but a draft."""

    name: str | None = None
    cron: str | None = None
    time_zone: str | None = None
    job: JobIn | None = None
    catch_up: Annotated[str, Field(pattern=_POLICY)] | None = None
    overlap: Annotated[str, Field(pattern=_OVERLAP)] | None = None
    jitter_s: float | None = None
    starts_at: TimeIn | None = None
    ends_at: TimeIn | None = None

    ALIASES: ClassVar = {"timezone": "time_zone"}

    def given(self) -> dict[str, Any]:
        """The fields that were given, as those of a `Schedule`."""
        found = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("name", "cron", "time_zone", "job", "catch_up", "overlap", "jitter_s"):
            if name in found and found[name] is None:
                raise InvalidInput(FieldError(name, "is missing"))
        if self.job is not None:
            found["job"] = self.job.template()
        if self.catch_up is not None:
            found["catch_up"] = CatchUp(self.catch_up)
        if self.overlap is not None:
            found["overlap"] = Overlap(self.overlap)
        return found


class ScheduleIn(ScheduleFields):
    """A new schedule."""

    name: str
    cron: str
    time_zone: str
    job: JobIn

    def spec(self) -> Schedule:
        """The schedule as the engine takes it."""
        return Schedule(**self.given())


class ReasonIn(TakenJson):
    """Why, in words."""

    reason: str = ""


class JobTemplateOut(Told):
    """The template of a schedule's jobs."""

    name: str
    machine_type: str
    handler: str
    material: str
    complexity: int
    priority: int
    estimated_s: float
    quantity: int
    program: str | None
    payload: dict[str, Any]
    tenant: str
    retry_limit: int | None
    timeout_s: float | None
    work_order: str
    operation: str
    pinned_machine_id: int | None


class FiringOut(Told):
    """What came of one due time. `late_s`: how long after its time it was handled."""

    id: int
    due_at: TimeOut
    planned_at: TimeOut
    fired_at: TimeOut
    late_s: float
    state: FiringState
    job_id: int | None
    job_state: str | None
    seconds: float | None
    actor: str
    reason: str

    @classmethod
    def of(cls, run: ScheduleRun) -> Self:
        return cls.model_validate(run)


class ScheduleOut(Told):
    """A schedule with its next time, the rule in words, and what came of the last time."""

    id: int
    version: int
    name: str
    cron: str
    time_zone: str
    words: str
    job: JobTemplateOut
    catch_up: CatchUp
    overlap: Overlap
    jitter_s: float
    starts_at: TimeOut | None
    ends_at: TimeOut | None
    paused: bool
    next_due: TimeOut | None
    last: FiringOut | None
    open_jobs: int
    warnings: list[str]
    created_at: TimeOut
    created_by: str

    @classmethod
    def of(cls, row: ScheduleRow) -> Self:
        spec = row.spec
        return cls(
            id=row.id,
            version=row.version,
            name=spec.name,
            cron=spec.cron,
            time_zone=spec.time_zone,
            words=row.words,
            job=JobTemplateOut.model_validate(spec.job),
            catch_up=spec.catch_up,
            overlap=spec.overlap,
            jitter_s=spec.jitter_s,
            starts_at=spec.starts_at,
            ends_at=spec.ends_at,
            paused=spec.paused,
            next_due=row.next_due,
            last=None if row.last is None else FiringOut.of(row.last),
            open_jobs=row.open_jobs,
            warnings=list(row.warnings),
            created_at=row.created_at,
            created_by=row.created_by,
        )


class SchedulesOut(Told):
    """Every schedule, by name."""

    schedules: list[ScheduleOut]


class FiringsIn(Taken):
    """The newest of those that were due before a time."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    before: TimeIn | None = None


class FiringsOut(Told):
    """Due times that have passed, the newest first."""

    runs: list[FiringOut]


class DueOut(Told):
    """A time to come. `note`: how a change of the clocks touches it."""

    at: TimeOut
    offset_s: int
    note: str

    @classmethod
    def of(cls, row: DueRow) -> Self:
        return cls.model_validate(row)


class PreviewOut(Told):
    """The next times of a schedule, in words and with warnings."""

    times: list[DueOut]
    words: str
    warnings: list[str]
    rule: str

    @classmethod
    def of(cls, preview: SchedulePreview) -> Self:
        return cls(
            times=[DueOut.of(row) for row in preview.times],
            words=preview.words,
            warnings=list(preview.warnings),
            rule=preview.rule,
        )


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
    rows = await call.door.ask(ListSchedules())
    return Reply(SchedulesOut(schedules=[ScheduleOut.of(row) for row in rows]))


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
    job_id = await call.door.execute(TriggerSchedule(row.id))
    detail = await call.door.ask(JobById(job_id))
    if detail is None:  # deleted by somebody just now
        raise not_found(f"job {job_id}")
    location = {"Location": f"/api/v1/jobs/{job_id}"}
    return Reply(JobDetailOut.of_detail(detail), 201, location)


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
        refuses=(409,),
    ),
    Route("GET", "/schedules", "List schedules", ListSchedules, _show_list, {200: SchedulesOut}),
    Route(
        "POST",
        "/schedules/preview",
        "Show the next times of a schedule",
        PreviewSchedule,
        _preview,
        {200: PreviewOut},
        body=(ScheduleIn,),
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
