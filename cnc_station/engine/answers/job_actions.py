"""Actions on jobs: in the queue through the writer, at machines through their station."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.answers.jobs import stored_spec
from cnc_station.engine.answers.limits import count_runs
from cnc_station.engine.answers.machines import ask_its_station, stored_machine
from cnc_station.engine.commands import (
    MOST_IN_BATCH,
    ActOnJobs,
    ActOnMatchingJobs,
    UndoJobActions,
)
from cnc_station.engine.domain import checks
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import BULK_ACTIONS, JOB_ACTIONS, JobAction
from cnc_station.engine.domain.checks import refuse
from cnc_station.engine.domain.errors import CncStationError, Conflict, FieldError, InvalidInput
from cnc_station.engine.domain.refusals import unfit_refusal
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.services.at_machines import JOBS_AT_MACHINES
from cnc_station.engine.store.bulk_actions import (
    ActOnMatching,
    Done,
    count_matching,
    next_matching,
)
from cnc_station.engine.store.queue_actions import ActOnJob, Before
from cnc_station.engine.store.remote_commands import AskStation
from cnc_station.engine.views import Answer, BulkCursor, BulkStep, JobFilter, Undo

_MOST_IDS = 10_000

_UNDOABLE = frozenset({JobAction.REORDER, JobAction.PIN, JobAction.CANCEL})
_RESTORING = {
    JobState.PAUSED: t.RESTORED_PAUSED,
    JobState.DELAYED: t.RESTORED,
    JobState.QUEUED: t.RESTORED,
}
_RESTORED_FIELDS = {
    JobAction.PIN: ("pinned_machine_id",),
    JobAction.REORDER: ("rank",),
    JobAction.CANCEL: ("rank", "not_before"),
}


async def act_on_jobs(context: AnswerContext, command: ActOnJobs, actor: str) -> tuple[Answer, ...]:
    """See `ActOnJobs`."""
    act = _act_at_machine if command.action in JOBS_AT_MACHINES else _act_in_queue
    if command.action is JobAction.PIN and command.machine_id is not None:
        await stored_machine(context, command.machine_id)
    if command.action is JobAction.RUN_NOW:
        await count_runs(context, actor, len(command.job_ids))
    acts = (act(context, command, job_id, actor) for job_id in command.job_ids)
    return tuple(await asyncio.gather(*acts))


async def _act_at_machine(
    context: AnswerContext, command: ActOnJobs, job_id: int, actor: str
) -> Answer:
    services = context.running()
    try:
        if services is not None and services.at_machines.has_job(job_id):
            await services.at_machines.act(command.action, job_id, actor, command.reason)
        else:
            remote = AskStation(command.action.value, job_id, actor, command.reason)
            return Answer(job_id, await ask_its_station(context, remote))
    except CncStationError as error:
        return Answer(job_id, str(error))
    return Answer(job_id)


async def _act_in_queue(
    context: AnswerContext, command: ActOnJobs, job_id: int, actor: str
) -> Answer:
    try:
        action = _queue_action(command, job_id, actor)
        if command.action is JobAction.PIN and command.machine_id is not None:
            await _refuse_unfit(context, job_id, command.machine_id)
        before = await context.writer.write(action)
    except CncStationError as error:
        return Answer(job_id, str(error))
    undo = _undo(command.action, before) if command.action in _UNDOABLE else None
    return Answer(job_id, undo=undo)


async def _refuse_unfit(context: AnswerContext, job_id: int, machine_id: int) -> None:
    spec = await context.reader.read(partial(stored_spec, job_id=job_id))
    machine = await stored_machine(context, machine_id)
    if spec and (why := machine.spec.capability.refusal(spec.need)):
        raise Conflict(unfit_refusal(spec.name, machine.spec.name, why))


def _queue_action(command: ActOnJobs | ActOnMatchingJobs, job_id: int, actor: str) -> ActOnJob:
    """Return the store's command. Raises InvalidInput for fields that do not fit the action."""
    transition = JOB_ACTIONS.get(command.action)
    values: dict[str, Any] = {}
    before = None
    match command.action:
        case JobAction.OVERRIDE:
            transition = _override(command)
        case JobAction.PIN:
            values["pinned_machine_id"] = _whole("machine_id", command.machine_id)
        case JobAction.DELAY:
            refuse(checks.moment("until", command.until))
            values["not_before"] = command.until
        case JobAction.REORDER:
            assert isinstance(command, ActOnJobs)
            before = _whole("before", command.before)
        case _:
            pass
    assert transition is not None
    return ActOnJob(transition, job_id, actor, command.reason, values, before)


def _override(command: ActOnJobs | ActOnMatchingJobs) -> t.Transition:
    if command.state not in t.OVERRIDES:
        raise InvalidInput(FieldError("state", f"can't be set to {command.state} by hand"))
    if not command.reason.strip():
        raise InvalidInput(FieldError("reason", "say why it is set by hand"))
    return t.OVERRIDES[command.state]


def _whole(name: str, value: int | None) -> int | None:
    if value is None:
        return None
    refuse(checks.whole(name, value, 0, checks.MOST_ID))
    return value


def _undo(action: JobAction, before: Before) -> Undo | None:
    if action is JobAction.CANCEL and before.state not in _RESTORING:
        return None
    return Undo(action.value, before.job_id, asdict(before))


async def act_on_matching_jobs(
    context: AnswerContext, command: ActOnMatchingJobs, actor: str
) -> BulkStep:
    """See `ActOnMatchingJobs`."""
    refuse(_bulk_errors(command))
    action = _queue_action(command, 0, actor)
    machine = None
    if command.action is JobAction.PIN and command.machine_id is not None:
        machine = (await stored_machine(context, command.machine_id)).spec
    cursor = command.cursor or await _count(context, command)
    look = partial(next_matching, chosen=command.chosen, cursor=cursor, limit=command.limit)
    ids = await context.reader.read(look)
    batch = ActOnMatching(action, ids, command.chosen, cursor.since, machine, context.tenants)
    done = await context.writer.write(batch) if ids else ()
    more = len(ids) == command.limit
    return BulkStep(
        tuple(_answer(command.action, one) for one in done),
        replace(cursor, after=ids[-1]) if more else None,
    )


def _bulk_errors(command: ActOnMatchingJobs) -> Iterator[FieldError]:
    if command.action not in BULK_ACTIONS:
        yield FieldError("action", f"{command.action} can't be done to all jobs of a filter")
    if command.chosen == JobFilter():
        yield FieldError("chosen", "must have a filter: without one it selects every job")
    if len(command.chosen.ids) > _MOST_IDS:
        yield FieldError("chosen", f"at most {_MOST_IDS:,} jobs by number")
    yield from checks.whole("expected_count", command.expected_count, 0, checks.MOST_ID)
    yield from checks.whole("limit", command.limit, 1, MOST_IN_BATCH)


async def _count(context: AnswerContext, command: ActOnMatchingJobs) -> BulkCursor:
    """Raises Conflict if the filter selects another number of jobs than expected."""
    count = partial(count_matching, chosen=command.chosen)
    found, cursor = await context.reader.read_now(lambda c, now: count(c, now=now))
    if found != command.expected_count:
        raise Conflict(
            f"The filter selects {found:,} jobs now, not {command.expected_count:,}. Nothing was "
            "changed: look at the list again."
        )
    return cursor


def _answer(action: JobAction, done: Done) -> Answer:
    if done.before is None:
        return Answer(done.job_id, done.refusal)
    undo = _undo(action, done.before) if action in _UNDOABLE else None
    return Answer(done.job_id, undo=undo)


async def undo_job_actions(
    context: AnswerContext, command: UndoJobActions, actor: str
) -> tuple[Answer, ...]:
    """See `UndoJobActions`."""
    return tuple(await asyncio.gather(*(_undo_one(context, s, actor) for s in command.steps)))


async def _undo_one(context: AnswerContext, step: Undo, actor: str) -> Answer:
    action = JobAction(step.action)
    if action is JobAction.CANCEL:
        transition = _RESTORING[JobState(step.details["state"])]
    else:
        transition = JOB_ACTIONS[action]
    change = ActOnJob(
        transition,
        step.job_id,
        actor,
        reason="taken back",
        values={name: step.details[name] for name in _RESTORED_FIELDS[action]},
        version=step.details["version"],
    )
    try:
        await context.writer.write(change)
    except CncStationError as error:
        return Answer(step.job_id, str(error))
    return Answer(step.job_id)
