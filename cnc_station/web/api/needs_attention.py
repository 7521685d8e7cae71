"""The routes about jobs that need attention, the dead-letter queue of other systems."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from cnc_station.engine.bulk import Bulk
from cnc_station.engine.commands import ActOnJobs, ActOnMatchingJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import ListJobs
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.web.api.job_values import AnswersOut, JobsOut
from cnc_station.web.api.problems import Problem
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.values import Id, Taken, TakenJson

_CHOSEN = JobFilter(states=frozenset({JobState.NEEDS_ATTENTION}))


class PageIn(Taken):
    """A page of a list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0


class ChosenIn(TakenJson):
    """Some of these jobs by their `ids`, or all of them, whose number must be `expected_count`."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=500)] | None = None
    expected_count: Annotated[int, Field(ge=0)] | None = None
    reason: str = ""

    @classmethod
    def read(cls, values: object) -> Self:
        """As in `Taken`. Raises InvalidInput also where both are given, or neither."""
        found = super().read(values)
        if (found.ids is None) == (found.expected_count is None):
            raise InvalidInput(FieldError("ids", "give either ids or the expected_count of all"))
        return found


async def _show_list(call: Call) -> Reply:
    query: PageIn = call.query
    order = (Sort(SortKey.CHANGED, descending=True),)
    page = await call.door.ask(ListJobs(_CHOSEN, order, query.offset, query.limit))
    return Reply(JobsOut.of(page, query.limit))


async def _retry(call: Call) -> Reply:
    """Let these jobs wait again, as if they had not failed."""
    return await _act(call, JobAction.RETRY)


async def _discard(call: Call) -> Reply:
    """Give these jobs up."""
    return await _act(call, JobAction.DISCARD)


async def _act(call: Call, action: JobAction) -> Reply:
    body: ChosenIn = call.body
    if body.ids is not None:
        answers = await call.door.execute(ActOnJobs(action, body.ids, body.reason))
        done = sum(answer.applied for answer in answers)
        return Reply(AnswersOut.of(answers, done, len(answers) - done))
    command = ActOnMatchingJobs(action, _CHOSEN, body.expected_count or 0, body.reason)
    summary = await Bulk.matching(command).run(call.door)
    if summary.error:
        raise Problem(503, f"{summary.done:,} jobs are done. {summary.error}")
    return Reply(AnswersOut.of(summary.refusals, summary.done, summary.refused))


def _routes(path: str, words: str) -> tuple[Route, ...]:
    return (
        Route(
            "GET",
            path,
            f"List jobs that need attention{words}",
            ListJobs,
            _show_list,
            {200: JobsOut},
            query=PageIn,
        ),
        Route(
            "POST",
            f"{path}/retry",
            f"Retry jobs that need attention{words}",
            ActOnJobs,
            _retry,
            {200: AnswersOut},
            body=(ChosenIn,),
            refuses=(409,),
        ),
        Route(
            "POST",
            f"{path}/discard",
            f"Discard jobs that need attention{words}",
            ActOnJobs,
            _discard,
            {200: AnswersOut},
            body=(ChosenIn,),
            refuses=(409,),
        ),
    )


ROUTES: Sequence[Route] = (
    *_routes("/needs-attention", ""),
    *_routes("/dead-letter", ", by another name"),
)
