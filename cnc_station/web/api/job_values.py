"""What the API takes and answers about jobs."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field

from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import LONGEST_SIDE, SHA256, YEAR_S, JobSpec
from cnc_station.engine.domain.machine import Envelope
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import JobStatus, status_of
from cnc_station.engine.views import Answer, JobCounts, JobDetail, JobLink, JobPage, JobRow, RunRow
from cnc_station.web.api.job_words import HANDLER_ALIASES, HANDLERS, JOB_ALIASES, STATES
from cnc_station.web.api.limits import Reason, described, limits, one_of
from cnc_station.web.api.problems import NAMES
from cnc_station.web.api.values import Id, PageOut, PriorityIn, TakenJson, TimeIn, TimeOut, Told

MOST_JOBS = 500
_of_job = partial(limits, JobSpec)
_Side = Annotated[float, Field(ge=0, le=LONGEST_SIDE)]


class Size(TakenJson):
    """Sides in mm."""

    x: _Side
    y: _Side
    z: _Side


class JobFields(TakenJson):
    """The fields of a job that may be given when it is made and changed later."""

    ALIASES: ClassVar = JOB_ALIASES

    name: Annotated[str | None, _of_job("name")] = None
    machine_type: Annotated[str | None, _of_job("machine_type")] = None
    material: Annotated[str | None, _of_job("material")] = None
    complexity: Annotated[int | None, _of_job("complexity")] = None
    priority: PriorityIn | None = None
    estimated_s: Annotated[float | None, _of_job("estimated_s")] = None
    quantity: Annotated[int | None, _of_job("quantity")] = None
    due_at: TimeIn | None = None
    program: Annotated[str | None, described(SHA256.pattern)] = None
    payload: dict[str, Any] | None = None
    tenant: Annotated[str | None, _of_job("tenant")] = None
    handler: Annotated[str | None, _of_job("handler"), described(HANDLERS)] = None
    retry_limit: Annotated[int | None, _of_job("retry_limit")] = None
    timeout_s: Annotated[float | None, _of_job("timeout_s")] = None
    timeout_ms: float | None = Field(default=None, deprecated=True, ge=1, le=YEAR_S * 1000)
    work_order: Annotated[str | None, _of_job("work_order")] = None
    operation: Annotated[str | None, _of_job("operation")] = None
    axes: Annotated[int | None, _of_job("axes")] = None
    envelope: Size | None = None
    pinned_machine_id: Id | None = None
    not_before: TimeIn | None = None
    description: Annotated[str | None, _of_job("description")] = None
    notes: Annotated[str | None, _of_job("notes")] = None
    customer: Annotated[str | None, _of_job("customer")] = None
    external_id: Annotated[str | None, _of_job("external_id")] = None

    @classmethod
    def by_name(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """As in `Taken`; a time limit in ms becomes one in seconds."""
        found = dict(super().by_name(values))
        if isinstance(limit := found.get("timeout_ms"), int | float) and limit is not True:
            del found["timeout_ms"]
            if found.setdefault("timeout_s", limit / 1000) != limit / 1000:
                raise InvalidInput(FieldError("timeout_s", "differs from timeout_ms"))
        return found

    def given(self) -> dict[str, Any]:
        """The fields that were given, as those of a `JobSpec`."""
        found = {name: getattr(self, name) for name in self.model_fields_set - {"timeout_ms"}}
        if (size := found.get("envelope")) is not None:
            found["envelope"] = Envelope(size.x, size.y, size.z)
        if found.get("handler") in HANDLER_ALIASES:
            found["handler"] = HANDLER_ALIASES[found["handler"]]
            found["payload"] = _payload(found.get("payload") or {})
        return found


def _payload(given: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of a handler with a name of another system."""
    return {("durationMs" if name == "delayMs" else name): value for name, value in given.items()}


class JobIn(JobFields):
    """A new job. Without `machine_type` it needs a `handler`."""

    name: Annotated[str, _of_job("name"), Field(min_length=1)]
    after: list[Id] = Field(default_factory=list)
    key: Annotated[str, _of_job("key")] = ""
    after_keys: list[Annotated[str, _of_job("key")]] = Field(default_factory=list)
    draft: bool = False

    def spec(self) -> JobSpec:
        """The job as the engine takes it: what is null counts as not given."""
        return replace(self.template(), source="API")

    def template(self) -> JobSpec:
        """As `spec`, for the jobs of a schedule."""
        given = {name: value for name, value in self.given().items() if value is not None}
        for name in ("after", "after_keys"):
            given[name] = tuple(given.get(name, ()))
        return JobSpec(**given)


class JobsIn(TakenJson):
    """Several jobs, all or none of them."""

    jobs: Annotated[list[JobIn], Field(min_length=1, max_length=MOST_JOBS)]


class StatusIn(TakenJson):
    """Another state by hand; `status` is its other name."""

    ALIASES: ClassVar = {"status": "state"}

    state: Annotated[str, described(one_of(STATES))]
    reason: Annotated[Reason, Field(min_length=1)]


class ActionIn(TakenJson):
    """How an action on one job is to be done. `JobAction` says which takes what."""

    reason: Reason = ""
    until: TimeIn | None = None
    before: Id | None = None
    machine_id: Id | None = None


class JobOut(Told):
    """A job in a list. `status` is its state in a few words; `next` is told where it was asked for:
    the next step, or why it waits. `owner` submitted it. `started_at` and `run_duration_ms` are
    those of its last run."""

    id: int
    version: int
    name: str
    state: JobState
    status: JobStatus
    material: str
    complexity: int
    machine_type: str
    machine_id: int | None
    machine: str
    priority: int
    estimated_s: float
    quantity: int
    due_at: TimeOut | None
    late: bool
    program: str | None
    program_name: str
    program_revision: int | None
    tenant: str
    work_order: str
    operation: str
    handler: str
    owner: str
    customer: str
    external_id: str
    description: str
    notes: str
    attempt: int
    failures: int
    not_before: TimeOut | None
    pinned_machine_id: int | None
    last_error: str
    created_at: TimeOut
    state_since: TimeOut
    updated_at: TimeOut
    started_at: TimeOut | None
    finished_at: TimeOut | None
    run_duration_ms: int | None
    next: Annotated[str | None, BeforeValidator(lambda words: words or None)] = None

    @classmethod
    def of(cls, row: JobRow) -> Self:
        return cls.model_validate(row)  # in half the time of model_construct


class RunOut(Told):
    """One attempt. `code`: the exit code or HTTP status of an automation."""

    id: int
    job_id: int
    job: str
    attempt: int
    machine_id: int | None
    machine: str
    station: str
    state: str
    assigned_at: TimeOut
    started_at: TimeOut | None
    ended_at: TimeOut | None
    error: str
    good: int | None
    scrap: int | None
    rework: int | None
    handler: str
    result: str | None
    code: int | None

    @classmethod
    def of(cls, row: RunRow) -> Self:
        return cls.model_validate(row)


class LinkOut(Told):
    """Another job of the same routing."""

    id: int
    title: str
    state: JobState

    @classmethod
    def of(cls, link: JobLink) -> Self:
        return cls.model_validate(link)


class SizeOut(Told):
    """Sides in mm."""

    x: float
    y: float
    z: float


class JobDetailOut(JobOut):
    """A job with all its fields."""

    payload: dict[str, Any]
    retry_limit: int
    timeout_s: float | None
    axes: int
    envelope: SizeOut | None
    trace_id: str
    schedule_id: int | None

    @classmethod
    def of_detail(cls, detail: JobDetail) -> Self:
        row = JobOut.of(detail.row)
        return cls.model_construct(
            **{name: getattr(row, name) for name in JobOut.model_fields},
            payload=dict(detail.payload),
            retry_limit=detail.retry_limit,
            timeout_s=detail.timeout_s,
            axes=detail.axes,
            envelope=None if detail.envelope is None else SizeOut.model_validate(detail.envelope),
            trace_id=detail.trace_id,
            schedule_id=detail.schedule_id,
        )


class JobsOut(PageOut):
    """A page of a list, and how long the whole list is."""

    jobs: list[JobOut]

    @classmethod
    def of(cls, page: JobPage, limit: int) -> Self:
        rows = [JobOut.of(row) for row in page.rows]
        return cls(jobs=rows, total=page.total, limit=limit, offset=page.offset)


class CreatedJobsOut(Told):
    """New jobs, in the order in which they were given."""

    jobs: list[JobDetailOut]


class StatsOut(Told):
    """How many jobs, by status and by state."""

    pending: int
    running: int
    completed: int
    failed: int
    cancelled: int
    total: int
    late: int
    by_state: dict[str, int]

    @classmethod
    def of(cls, counts: JobCounts) -> Self:
        by_status = dict.fromkeys(JobStatus, 0)
        for state, count in counts.by_state.items():
            by_status[status_of(state)] += count
        return cls(
            **{str(status): count for status, count in by_status.items()},
            total=sum(by_status.values()),
            late=counts.late,
            by_state={str(state): counts.by_state.get(state, 0) for state in JobState},
        )


class RefusalOut(Told):
    """Why one of several things was refused, as the problem of a request for it alone."""

    type: str
    title: str
    status: int
    detail: str

    @classmethod
    def of(cls, status: int, detail: str) -> Self:
        name, title = f"/problems/{NAMES[status]}", HTTPStatus(status).phrase
        return cls(type=name, title=title, status=status, detail=detail)


class AnswerOut(Told):
    """What came of an action on one of several things; `problem` is null if it was done."""

    id: int
    ok: bool
    problem: RefusalOut | None

    @classmethod
    def of(cls, answer: Answer, *, missing: bool = False) -> Self:
        status = 404 if missing else 409
        refused = None if answer.applied else RefusalOut.of(status, answer.error)
        return cls(id=answer.id, ok=answer.applied, problem=refused)


class AnswersOut(Told):
    """What came of an action, for each job that it was asked for; of more than a thousand refused
    jobs of a filter, the first."""

    answers: list[AnswerOut]
    done: int
    refused: int

    @classmethod
    def of(
        cls, answers: Iterable[Answer], done: int, refused: int, missing: Set[int] = frozenset()
    ) -> Self:
        """`missing`: the ids of those that do not exist."""
        told = [AnswerOut.of(answer, missing=answer.id in missing) for answer in answers]
        return cls(answers=told, done=done, refused=refused)


# The actions on one job that need nobody at a machine. `run` and `trigger` are other names.
ACTIONS: Mapping[str, JobAction] = {
    "submit": JobAction.SUBMIT,
    "pause": JobAction.PAUSE,
    "resume": JobAction.RESUME,
    "run": JobAction.RUN_NOW,
    "trigger": JobAction.RUN_NOW,
    "cancel": JobAction.CANCEL,
    "retry": JobAction.RETRY,
    "reorder": JobAction.REORDER,
    "pin": JobAction.PIN,
    "delay": JobAction.DELAY,
    "discard": JobAction.DISCARD,
}
