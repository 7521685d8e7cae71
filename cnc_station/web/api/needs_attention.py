"""The routes about jobs that need attention, the dead-letter queue of other systems."""

from collections.abc import Sequence

from cnc_station.engine.commands import ActOnJobs
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.queries import ListJobs
from cnc_station.engine.views import JobFilter, Sort, SortKey
from cnc_station.web.api.bulk import act_on
from cnc_station.web.api.job_values import AnswersOut, JobsOut
from cnc_station.web.api.limits import Count, Ids, Reason
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.values import PageIn, TakenJson

_CHOSEN = JobFilter(states=frozenset({JobState.NEEDS_ATTENTION}))


class ChosenIn(TakenJson):
    """Some of these jobs by their `ids`, or all of them, whose number must be `expected_count`."""

    ids: Ids | None = None
    expected_count: Count | None = None
    reason: Reason = ""


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
    chosen = None if body.expected_count is None else _CHOSEN
    how = {"reason": body.reason}
    return await act_on(call, action, body.ids, chosen, body.expected_count, how)


ROUTES: Sequence[Route] = (
    Route(
        "GET",
        "/needs-attention",
        "List jobs that need attention",
        ListJobs,
        _show_list,
        {200: JobsOut},
        query=PageIn,
    ),
    Route(
        "POST",
        "/needs-attention/retry",
        "Retry jobs that need attention",
        ActOnJobs,
        _retry,
        {200: AnswersOut},
        body=(ChosenIn,),
        refuses=(409,),
    ),
    Route(
        "POST",
        "/needs-attention/discard",
        "Discard jobs that need attention",
        ActOnJobs,
        _discard,
        {200: AnswersOut},
        body=(ChosenIn,),
        refuses=(409,),
    ),
)
