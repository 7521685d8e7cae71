"""The routes about jobs."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from cnc_station.engine.bulk import Bulk
from cnc_station.engine.commands import (
    ActOnJobs,
    ActOnMatchingJobs,
    DuplicateJob,
    EditJob,
    SubmitJobs,
)
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.domain.webhooks import JobStatus, status_of
from cnc_station.engine.queries import (
    CountJobs,
    ExportJobs,
    JobById,
    ListJobs,
)
from cnc_station.engine.views import JobDetail, JobFilter, Sort, SortKey
from cnc_station.web.api.job_values import (
    ACTIONS,
    ActionIn,
    AnswersOut,
    CreatedJobsOut,
    JobDetailOut,
    JobFields,
    JobIn,
    JobsIn,
    JobsOut,
    StatsOut,
    StatusIn,
)
from cnc_station.web.api.problems import Problem, not_found
from cnc_station.web.api.route import Call, Reply, Route, check_version, etag
from cnc_station.web.api.values import Id, PriorityIn, Taken, TakenJson, TimeIn

MOST_OFFSET = 100_000
_SORT_ALIASES = {"createdAt": "created", "updated": "changed", "updated_at": "changed"}
_STATES: dict[str, frozenset[JobState]] = {
    **{str(state): frozenset({state}) for state in JobState},
    **{
        str(status): frozenset(state for state in JobState if status_of(state) is status)
        for status in JobStatus
    },
}


class JobFilterIn(Taken):
    """Which jobs; what is not given does not narrow. Several values stand in one, with commas
    between them. `status` takes states too, and the other way round."""

    ids: str = ""
    status: str = ""
    state: str = ""
    machine_id: Id | None = None
    machine_type: str = ""
    priority: PriorityIn | None = None
    min_priority: Annotated[int, Field(ge=0, le=100)] | None = None
    max_priority: Annotated[int, Field(ge=0, le=100)] | None = None
    tenant: str | None = None
    work_order: str | None = None
    program: str | None = None
    late: bool = False
    finished_since: TimeIn | None = None
    finished_until: TimeIn | None = None
    q: str = ""

    ALIASES: ClassVar = {"tenantId": "tenant", "required_machine_type": "machine_type"}

    def chosen(self) -> JobFilter:
        """The filter. Raises InvalidInput."""
        return JobFilter(
            ids=_ids(self.ids),
            states=_states(self.status, "status") | _states(self.state, "state"),
            machine_types=frozenset(_words(self.machine_type.lower())),
            machine_id=self.machine_id,
            tenant=self.tenant,
            min_priority=self.min_priority if self.priority is None else self.priority,
            max_priority=self.max_priority if self.priority is None else self.priority,
            work_order=self.work_order,
            program=self.program,
            late=self.late,
            finished_since=self.finished_since,
            finished_until=self.finished_until,
            text=self.q,
        )


class JobListIn(JobFilterIn):
    """A page of a list. `sort`: `created:desc,priority`, or `-created`."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=MOST_OFFSET)] = 0
    sort: str = ""
    include: str = ""

    def order(self) -> tuple[Sort, ...]:
        """The sort order. Raises InvalidInput."""
        return tuple(map(_sort, _words(self.sort)))


class ExportIn(JobFilterIn):
    """The form of the download: `csv` or `json`."""

    form: Annotated[str, Field(pattern="^(csv|json)$")] = "csv"


class BulkIn(TakenJson):
    """An action on jobs: those of `ids`, or all that match `filter`, whose number must be
    `expected_count`."""

    action: str
    ids: Annotated[list[Id], Field(min_length=1, max_length=500)] | None = None
    filter: dict[str, Any] | None = None
    expected_count: int | None = None
    reason: str = ""
    until: TimeIn | None = None
    machine_id: Id | None = None

    @classmethod
    def read(cls, values: object) -> Self:
        found = super().read(values)
        if (found.ids is None) == (found.filter is None):
            raise InvalidInput(FieldError("ids", "give either ids or a filter"))
        if found.filter is not None and found.expected_count is None:
            raise InvalidInput(FieldError("expected_count", "is missing: how many jobs match"))
        return found


def _words(text: str) -> Sequence[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _ids(text: str) -> frozenset[int]:
    words = _words(text)
    if not all(word.isdecimal() and len(word) < 19 for word in words):
        raise InvalidInput(FieldError("ids", "must be numbers of jobs, with commas between them"))
    return frozenset(map(int, words))


def _states(text: str, field: str) -> frozenset[JobState]:
    chosen: frozenset[JobState] = frozenset()
    for word in _words(text.lower()):
        if word not in _STATES:
            raise InvalidInput(FieldError(field, f"must be one of {', '.join(_STATES)}"))
        chosen |= _STATES[word]
    return chosen


def _sort(word: str) -> Sort:
    name, _, direction = word.removeprefix("-").partition(":")
    try:
        key = SortKey(_SORT_ALIASES.get(name, name))
    except ValueError:
        keys = ", ".join(SortKey)
        raise InvalidInput(FieldError("sort", f"{name!r} is not one of {keys}")) from None
    if direction not in {"", "asc", "desc"}:
        raise InvalidInput(FieldError("sort", "the direction must be asc or desc"))
    return Sort(key, word.startswith("-") or direction == "desc")


async def _job(call: Call, job_id: int) -> JobDetail:
    detail = await call.door.ask(JobById(job_id))
    if detail is None:
        raise not_found(f"job {job_id}")
    return detail


def _told(detail: JobDetail, status: int = 200) -> Reply:
    headers = {**etag(detail.row.version)}
    if status == 201:
        headers["Location"] = f"/api/v1/jobs/{detail.row.id}"
    return Reply(JobDetailOut.of_detail(detail), status, headers)


async def _create(call: Call) -> Reply:
    """Store one job, or several of them, all or none."""
    if isinstance(call.body, JobIn):
        (job_id,) = await call.door.execute(SubmitJobs((call.body.spec(),)))
        return _told(await _job(call, job_id), 201)
    ids = await call.door.execute(SubmitJobs(tuple(one.spec() for one in call.body.jobs)))
    made = [JobDetailOut.of_detail(await _job(call, job_id)) for job_id in ids]
    return Reply(CreatedJobsOut(jobs=made), 201)


async def _show_list(call: Call) -> Reply:
    query: JobListIn = call.query
    page = await call.door.ask(ListJobs(query.chosen(), query.order(), query.offset, query.limit))
    return Reply(JobsOut.of(page, query.limit, with_next="next" in _words(query.include)))


async def _show_stats(call: Call) -> Reply:
    return Reply(StatsOut.of(await call.door.ask(CountJobs(call.query.chosen()))))


async def _export(call: Call) -> Reply:
    query: ExportIn = call.query
    content = await call.door.ask(ExportJobs(query.chosen(), (), query.form))
    name = f'attachment; filename="jobs.{query.form}"'
    media = "text/csv" if query.form == "csv" else "application/json"
    return Reply(content, 200, {"Content-Disposition": name}, media)


async def _show(call: Call) -> Reply:
    return _told(await _job(call, call.path["id"]))


async def _edit(call: Call) -> Reply:
    """Change a job that is not at a machine."""
    job_id = call.path["id"]
    detail = await _job(call, job_id)
    check_version(call, detail.row.version)
    changes = call.body.given()
    if changes:
        await call.door.execute(EditJob(job_id, changes, call.if_match))
    return _told(await _job(call, job_id))


async def _delete(call: Call) -> Reply:
    """Delete a job that has never run."""
    await _act(call, JobAction.DELETE)
    return Reply(None, 204)


async def _set_status(call: Call) -> Reply:
    """Set a state by hand, with a reason."""
    body: StatusIn = call.body
    states = _states(body.state, "state")
    if len(states) != 1:
        states &= {JobState.COMPLETED, JobState.CANCELLED, JobState.NEEDS_ATTENTION}
    if len(states) != 1:
        raise InvalidInput(FieldError("state", f"{body.state!r} is not one state"))
    if not body.reason.strip():
        raise InvalidInput(FieldError("reason", "is missing"))
    (state,) = states
    await _act(call, JobAction.OVERRIDE, reason=body.reason, state=state)
    return _told(await _job(call, call.path["id"]))


async def _act(call: Call, action: JobAction, **how: Any) -> None:
    job_id = call.path["id"]
    check_version(call, (await _job(call, job_id)).row.version)
    (answer,) = await call.door.execute(ActOnJobs(action, (job_id,), **how))
    if not answer.applied:
        raise Conflict(answer.error)


async def _duplicate(call: Call) -> Reply:
    """Store a copy of a job, waiting as if it came in now."""
    await _job(call, call.path["id"])
    return _told(await _job(call, await call.door.execute(DuplicateJob(call.path["id"]))), 201)


async def _act_on_many(call: Call) -> Reply:
    """Do one thing to several jobs; an answer for each."""
    body: BulkIn = call.body
    if body.action not in ACTIONS:
        raise InvalidInput(FieldError("action", f"must be one of {', '.join(ACTIONS)}"))
    action = ACTIONS[body.action]
    how: dict[str, Any] = {"machine_id": body.machine_id, "until": body.until}
    if body.ids is not None:
        command = ActOnJobs(action, body.ids, body.reason, **how)
        answers = await call.door.execute(command)
        done = sum(answer.applied for answer in answers)
        return Reply(AnswersOut.of(answers, done, len(answers) - done))
    chosen = JobFilterIn.read(body.filter).chosen()
    matching = ActOnMatchingJobs(action, chosen, body.expected_count or 0, body.reason, **how)
    summary = await Bulk.matching(matching).run(call.door)
    if summary.error:
        raise Problem(503, f"{summary.done:,} jobs are done. {summary.error}")
    return Reply(AnswersOut.of(summary.refusals, summary.done, summary.refused))


def _action_route(word: str, action: JobAction) -> Route:
    async def act(call: Call) -> Reply:
        body: ActionIn = call.body
        how = {"before": body.before, "machine_id": body.machine_id, "until": body.until}
        await _act(call, action, reason=body.reason, **how)
        return _told(await _job(call, call.path["id"]))

    return Route(
        "POST",
        f"/jobs/{{id}}/{word}",
        f"{word.capitalize()} a job",
        ActOnJobs,
        act,
        {200: JobDetailOut},
        body=(ActionIn,),
        conditional=True,
        refuses=(404, 409, 412),
    )


ROUTES: Sequence[Route] = (
    Route(
        "POST",
        "/jobs",
        "Submit jobs",
        SubmitJobs,
        _create,
        {201: JobDetailOut},
        body=(JobIn, JobsIn),
        refuses=(409,),
    ),
    Route("GET", "/jobs", "List jobs", ListJobs, _show_list, {200: JobsOut}, query=JobListIn),
    Route(
        "GET",
        "/jobs/stats",
        "Count jobs",
        CountJobs,
        _show_stats,
        {200: StatsOut},
        query=JobFilterIn,
    ),
    Route(
        "GET",
        "/jobs/export",
        "Download jobs",
        ExportJobs,
        _export,
        {200: "text/csv, application/json"},
        query=ExportIn,
    ),
    Route(
        "POST",
        "/jobs/actions",
        "Act on several jobs",
        ActOnJobs,
        _act_on_many,
        {200: AnswersOut},
        body=(BulkIn,),
        refuses=(409,),
    ),
    Route("GET", "/jobs/{id}", "Show a job", JobById, _show, {200: JobDetailOut}, refuses=(404,)),
    Route(
        "PATCH",
        "/jobs/{id}",
        "Change a job",
        EditJob,
        _edit,
        {200: JobDetailOut},
        body=(JobFields,),
        conditional=True,
        refuses=(404, 409, 412),
    ),
    Route(
        "PUT",
        "/jobs/{id}",
        "Change a job, as PATCH does",
        EditJob,
        _edit,
        {200: JobDetailOut},
        body=(JobFields,),
        conditional=True,
        refuses=(404, 409, 412),
    ),
    Route(
        "DELETE",
        "/jobs/{id}",
        "Delete a job",
        ActOnJobs,
        _delete,
        {204: None},
        conditional=True,
        refuses=(404, 409, 412),
    ),
    Route(
        "PATCH",
        "/jobs/{id}/status",
        "Set the state of a job by hand",
        ActOnJobs,
        _set_status,
        {200: JobDetailOut},
        body=(StatusIn,),
        conditional=True,
        refuses=(404, 409, 412),
    ),
    Route(
        "POST",
        "/jobs/{id}/duplicate",
        "Copy a job",
        DuplicateJob,
        _duplicate,
        {201: JobDetailOut},
        refuses=(404,),
    ),
    *(_action_route(word, action) for word, action in ACTIONS.items()),
)
