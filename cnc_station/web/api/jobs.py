"""The routes about jobs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from cnc_station.engine.commands import (
    ActOnJobs,
    DuplicateJob,
    EditJob,
    SubmitJobs,
)
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.admission import admitted
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.limits import CREATE, RUN
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.door import Asks
from cnc_station.engine.queries import (
    CountJobs,
    ExportJobsAfter,
    ListJobs,
    ListJobsAfter,
)
from cnc_station.engine.views import ExportPart, JobDetail, JobRow, JobsPart
from cnc_station.web.api.bulk import act_on
from cnc_station.web.api.job_filters import (
    BulkIn,
    ExportIn,
    JobFilterIn,
    JobListIn,
)
from cnc_station.web.api.job_history import job_of
from cnc_station.web.api.job_values import (
    ACTIONS,
    ActionIn,
    AnswersOut,
    CreatedJobsOut,
    JobDetailOut,
    JobFields,
    JobIn,
    JobOut,
    JobsIn,
    JobsOut,
    StatsOut,
    StatusIn,
)
from cnc_station.web.api.job_words import states_named
from cnc_station.web.api.route import Call, Reply, Route, check_version, etag


def _told(detail: JobDetail, status: int = 200) -> Reply:
    headers = {**etag(detail.row.version)}
    if status == 201:
        headers["Location"] = f"/api/v1/jobs/{detail.row.id}"
    return Reply(JobDetailOut.of_detail(detail), status, headers)


async def _create(call: Call) -> Reply:
    """Store one job, or several of them, all or none."""
    if isinstance(call.body, JobIn):
        (job_id,) = await call.door.execute(SubmitJobs((call.body.spec(),), call.trace_id))
        return _told(await job_of(call, job_id), 201)
    specs = tuple(one.spec() for one in call.body.jobs)
    try:
        ids = await call.door.execute(SubmitJobs(specs, call.trace_id))
    except InvalidInput as error:
        raise _located(specs, error) from None
    made = [JobDetailOut.of_detail(await job_of(call, job_id)) for job_id in ids]
    return Reply(CreatedJobsOut(jobs=made), 201)


def _located(specs: Sequence[JobSpec], error: InvalidInput) -> InvalidInput:
    """Return the error with the place of the first job that is not valid by itself."""
    for at, spec in enumerate(specs):
        try:
            admitted(spec).validated()
        except InvalidInput as own:
            errors = (FieldError(f"jobs.{at}.{one.field}", one.reason) for one in own.errors)
            return InvalidInput(*errors)
    return error


async def _show_list(call: Call) -> Reply:
    query: JobListIn = call.query
    page = await call.door.ask(
        ListJobs(
            query.chosen(),
            query.order(),
            query.offset,
            query.limit,
            with_next=query.include == "next",
        )
    )
    return Reply(JobsOut.of(page, query.limit))


async def _show_stats(call: Call) -> Reply:
    return Reply(StatsOut.of(await call.door.ask(CountJobs(call.query.chosen(), narrowed=True))))


async def _export(call: Call) -> Reply:
    query: ExportIn = call.query
    headers = {"Content-Disposition": f'attachment; filename="jobs.{query.form}"'}
    if query.form == "csv":
        asked = ExportJobsAfter(query.chosen())
        parts, media = _csv(call.door, asked, await call.door.ask(asked)), "text/csv"
    else:
        rows = ListJobsAfter(query.chosen())
        parts, media = _json(call.door, rows, await call.door.ask(rows)), "application/json"
    return Reply(None, 200, headers, media, parts=parts)


async def _csv(door: Asks, asked: ExportJobsAfter, part: ExportPart) -> AsyncIterator[bytes]:
    yield part.content
    while part.last is not None:
        part = await door.ask(replace(asked, after=part.last))
        yield part.content


async def _json(door: Asks, asked: ListJobsAfter, part: JobsPart) -> AsyncIterator[bytes]:
    """The jobs as a list shows them, in one array."""
    yield b"["
    between = b"\n"
    while True:
        if part.rows:
            yield between + await asyncio.to_thread(_lines, part.rows)
            between = b",\n"
        if part.last is None:
            break
        part = await door.ask(replace(asked, after=part.last))
    yield b"\n]\n"


def _lines(rows: Sequence[JobRow]) -> bytes:
    return b",\n".join(JobOut.of(row).model_dump_json().encode() for row in rows)


async def _edit(call: Call) -> Reply:
    """Change a job that is not at a machine."""
    job_id = call.path["id"]
    detail = await job_of(call, job_id)
    check_version(call, detail.row.version)
    changes = call.body.given()
    if changes:
        await call.door.execute(EditJob(job_id, changes, call.if_match))
    return _told(await job_of(call, job_id))


async def _delete(call: Call) -> Reply:
    """Delete a job that has never run."""
    await _act(call, JobAction.DELETE)
    return Reply(None, 204)


async def _set_status(call: Call) -> Reply:
    """Set a state by hand, with a reason."""
    body: StatusIn = call.body
    states = states_named(body.state, "state")
    if len(states) != 1:
        states &= {JobState.COMPLETED, JobState.CANCELLED, JobState.NEEDS_ATTENTION}
    if len(states) != 1:
        raise InvalidInput(FieldError("state", f"{body.state!r} is not one state"))
    if not body.reason.strip():
        raise InvalidInput(FieldError("reason", "is missing"))
    (state,) = states
    await _act(call, JobAction.OVERRIDE, reason=body.reason, state=state)
    return _told(await job_of(call, call.path["id"]))


async def _act(call: Call, action: JobAction, **how: Any) -> None:
    job_id = call.path["id"]
    check_version(call, (await job_of(call, job_id)).row.version)
    (answer,) = await call.door.execute(ActOnJobs(action, (job_id,), **how))
    if not answer.applied:
        raise Conflict(answer.error)


async def _duplicate(call: Call) -> Reply:
    """Store a copy of a job, waiting as if it came in now."""
    await job_of(call, call.path["id"])
    copy_id = await call.door.execute(DuplicateJob(call.path["id"], call.trace_id))
    return _told(await job_of(call, copy_id), 201)


async def _act_on_many(call: Call) -> Reply:
    """Do one thing to several jobs; an answer for each."""
    body: BulkIn = call.body
    if body.action not in ACTIONS:
        raise InvalidInput(FieldError("action", f"must be one of {', '.join(ACTIONS)}"))
    how = {"reason": body.reason, "machine_id": body.machine_id, "until": body.until}
    chosen = body.chosen()
    return await act_on(call, ACTIONS[body.action], body.ids, chosen, body.expected_count, how)


def _edit_route(method: str, words: str) -> Route:
    return Route(
        method,
        "/jobs/{id}",
        words,
        EditJob,
        _edit,
        {200: JobDetailOut},
        body=(JobFields,),
        conditional=True,
        refuses=(404, 409, 412),
    )


def _action_route(word: str, action: JobAction) -> Route:
    async def act(call: Call) -> Reply:
        body: ActionIn = call.body
        how = {"before": body.before, "machine_id": body.machine_id, "until": body.until}
        await _act(call, action, reason=body.reason, **how)
        return _told(await job_of(call, call.path["id"]))

    return Route(
        "POST",
        f"/jobs/{{id}}/{word}",
        f"{word.capitalize()} a job",
        ActOnJobs,
        act,
        {200: JobDetailOut},
        body=(ActionIn,),
        conditional=True,
        counts=RUN if action is JobAction.RUN_NOW else "",
        refuses=(404, 409, 412),
    )


ROUTES: Sequence[Route] = (
    Route(
        "POST",
        "/jobs",
        "Submit jobs",
        SubmitJobs,
        _create,
        {201: (JobDetailOut, CreatedJobsOut)},
        body=(JobIn, JobsIn),
        creates=True,
        counts=CREATE,
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
        ExportJobsAfter,
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
    _edit_route("PATCH", "Change a job"),
    _edit_route("PUT", "Change a job, as PATCH does"),
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
        creates=True,
        counts=CREATE,
        refuses=(404,),
    ),
    *(_action_route(word, action) for word, action in ACTIONS.items()),
)
