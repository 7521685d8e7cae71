"""Actions on several jobs at once: by their ids, or all that match a filter."""

from collections.abc import Mapping, Sequence
from typing import Any

from cnc_station.engine.bulk import Bulk
from cnc_station.engine.commands import ActOnJobs, ActOnMatchingJobs, ReplayMatchingDeliveries
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.queries import JobsById
from cnc_station.engine.views import JobFilter
from cnc_station.web.api.job_values import AnswersOut
from cnc_station.web.api.problems import Problem
from cnc_station.web.api.route import Call, Reply


async def act_on(
    call: Call,
    action: JobAction,
    ids: Sequence[int] | None,
    chosen: JobFilter | None,
    expected_count: int | None,
    how: Mapping[str, Any],
) -> Reply:
    """Act on the jobs of `ids`, or on all those chosen, whose number must be `expected_count`.
    `how` are the other fields of the command. Raises InvalidInput unless one of both is given."""
    if (ids is None) == (chosen is None):
        raise InvalidInput(FieldError("ids", "give either ids, or all with their expected_count"))
    if ids is not None:
        answers = await call.door.execute(ActOnJobs(action, ids, **how))
        refused = tuple(answer.id for answer in answers if not answer.applied)
        there = await call.door.ask(JobsById(refused)) if refused else ()
        missing = {*refused} - {row.id for row in there}
        done = len(answers) - len(refused)
        return Reply(AnswersOut.of(answers, done, len(refused), missing))
    if expected_count is None:
        raise InvalidInput(FieldError("expected_count", "is missing: how many jobs match"))
    assert chosen is not None
    command = ActOnMatchingJobs(action, chosen, expected_count, **how)
    return await run_bulk(call, command, "jobs")


async def run_bulk(
    call: Call, command: ActOnMatchingJobs | ReplayMatchingDeliveries, things: str
) -> Reply:
    """Act on all that match, batch by batch. Raises a problem if it ends early."""
    summary = await Bulk.matching(command).run(call.door)
    if summary.error:
        raise Problem(503, f"{summary.done:,} {things} are done. {summary.error}")
    return Reply(AnswersOut.of(summary.refusals, summary.done, summary.refused))
