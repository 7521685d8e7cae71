"""Answers for a principal who may see and change the jobs of some tenants only."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from cnc_station.engine import commands as c
from cnc_station.engine import queries as q
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.store.tenants import visible_jobs
from cnc_station.engine.views import Answer

Carry = Callable[[AnswerContext, Any, str], Awaitable[Any]]

# Live queries do not know the tenant of a run: these return nothing.
UNTOLD: Mapping[type, Any] = {
    q.ControllerStatus: None,
    q.LatestTelemetry: None,
    q.ListActiveRuns: (),
    q.MachineLog: (),
}


async def execute(context: AnswerContext, command: Any, actor: str, carry: Carry) -> Any:
    """Execute the command with `carry` on the visible jobs, as if there were no others."""
    match command:
        case c.ActOnJobs(job_ids=ids, before=before):
            if before is not None:
                await _refuse_hidden(context, (before,))
            seen = await _seen(context, ids)
            shown = replace(command, job_ids=[job_id for job_id in ids if job_id in seen])
            return _answers(ids, await carry(context, shown, actor))
        case c.UndoJobActions(steps=steps):
            ids = [step.job_id for step in steps]
            seen = await _seen(context, ids)
            left = replace(command, steps=[step for step in steps if step.job_id in seen])
            return _answers(ids, await carry(context, left, actor))
        case c.EditJob(job_id=job_id, changes=changes):
            await _refuse_hidden(context, (job_id, *changes.get("after", ())))
            if "tenant" in changes:
                refuse_other_tenants(context, (changes["tenant"],))
        case c.AttachFile(job_ids=ids):
            await _refuse_hidden(context, ids)
        case c.DuplicateJob(job_id=job_id) | c.CheckFirstPart(job_id=job_id):
            await _refuse_hidden(context, (job_id,))
        case c.SubmitJobs(specs=specs):
            await _refuse_hidden(context, [job_id for spec in specs for job_id in spec.after])
        case _:
            pass
    return await carry(context, command, actor)


def refuse_other_tenants(context: AnswerContext, tenants: Iterable[str]) -> None:
    """Raises InvalidInput for a job of a tenant whose jobs may not be seen."""
    if context.tenants is None:
        return
    for tenant in tenants:
        if tenant not in context.tenants:
            raise InvalidInput(FieldError("tenant", f"{tenant!r} is not one of yours"))


async def _seen(context: AnswerContext, ids: Iterable[int]) -> frozenset[int]:
    return await context.reader.read(partial(visible_jobs, ids=frozenset(ids)))


async def _refuse_hidden(context: AnswerContext, ids: Sequence[int]) -> None:
    seen = await _seen(context, ids)
    for job_id in ids:
        if job_id not in seen:
            raise Conflict(f"There is no job {job_id}.")


def _answers(ids: Iterable[int], answers: Iterable[Answer]) -> tuple[Answer, ...]:
    by_id = {answer.id: answer for answer in answers}
    return tuple(by_id.get(one) or Answer(one, f"There is no job {one}.") for one in ids)
