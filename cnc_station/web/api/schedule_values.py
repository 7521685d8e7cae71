"""What the API takes and answers about schedules."""

from functools import partial
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from cnc_station.engine.domain.actions import ScheduleAction
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.schedule import CatchUp, FiringState, Overlap, Schedule
from cnc_station.engine.views import DueRow, SchedulePreview, ScheduleRow, ScheduleRun
from cnc_station.web.api.job_values import JobIn
from cnc_station.web.api.limits import Ids, Reason, described, limits, one_of
from cnc_station.web.api.values import (
    PageOut,
    Taken,
    TakenJson,
    TimeIn,
    TimeOut,
    Told,
)

_of_schedule = partial(limits, Schedule)


class ScheduleFields(TakenJson):
    """The fields of a schedule. `job` is the template of its jobs, any job but a draft."""

    name: Annotated[str | None, _of_schedule("name")] = None
    cron: Annotated[str | None, _of_schedule("cron")] = None
    time_zone: Annotated[str | None, _of_schedule("time_zone")] = None
    job: JobIn | None = None
    catch_up: Annotated[str, Field(pattern=f"^({one_of(CatchUp)})$")] | None = None
    overlap: Annotated[str, Field(pattern=f"^({one_of(Overlap)})$")] | None = None
    jitter_s: Annotated[float | None, _of_schedule("jitter_s")] = None
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

    name: Annotated[str, _of_schedule("name"), Field(min_length=1)]
    cron: Annotated[str, _of_schedule("cron"), Field(min_length=1)]
    time_zone: Annotated[str, _of_schedule("time_zone"), Field(min_length=1)]
    job: JobIn

    def spec(self) -> Schedule:
        """The schedule as the engine takes it."""
        return Schedule(**self.given())


class ReasonIn(TakenJson):
    """Why, in words."""

    reason: Reason = ""


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
    description: str
    notes: str
    customer: str
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


class SchedulesOut(PageOut):
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


class ScheduleActionsIn(TakenJson):
    """`pause`, `resume` or `trigger` the schedules of `ids`."""

    action: Annotated[str, described(one_of(ScheduleAction))]
    ids: Ids
    reason: Reason = ""

    def chosen(self) -> ScheduleAction:
        """The action. Raises InvalidInput."""
        if self.action not in set(ScheduleAction):
            known = ", ".join(ScheduleAction)
            raise InvalidInput(FieldError("action", f"must be one of {known}"))
        return ScheduleAction(self.action)
