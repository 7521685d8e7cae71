"""The routes about figures: the JSON twins of `/metrics`, from the database."""

from collections.abc import Sequence
from typing import Self

from cnc_station.engine.queries import ExecutionsBy, MetricsNow
from cnc_station.engine.views.metrics import ExecutionGroup, Executions, ExecutionStats, JobMetrics
from cnc_station.web.api.route import Call, Reply, Route
from cnc_station.web.api.values import Taken, TimeIn, TimeOut, Told


class MetricsIn(Taken):
    """A span of time: the 24 hours until now, unless others are named; 31 days at most. If more
    than 100,000 runs ended in it, the newest of them are counted: `since` tells from when on."""

    since: TimeIn | None = None
    until: TimeIn | None = None


class ExecutionsIn(MetricsIn):
    """The same, and by what the runs are grouped. Only runs at a machine have a machine and a
    type."""

    group_by: ExecutionGroup = ExecutionGroup.HANDLER


class JobMetricsOut(Told):
    """`total`, `pending`, `running` and `dlq` (needs attention) are the jobs at this moment.
    `completed` and `failed` are the runs that ended so in the span, `retries` those that were not
    the first of their job; the rates are percent of `completed` and `failed`, null without any."""

    total: int
    pending: int
    running: int
    completed: int
    failed: int
    retries: int
    dlq: int
    success_rate: float | None
    failure_rate: float | None


class RateLimitOut(Told):
    """`hits`: the requests that the answering station has refused by a limit since its start."""

    hits: int


class MetricsOut(Told):
    """Figures of the whole fleet."""

    since: TimeOut
    until: TimeOut
    jobs: JobMetricsOut
    rate_limit: RateLimitOut

    @classmethod
    def of(cls, metrics: JobMetrics) -> Self:
        return cls(
            since=metrics.since,
            until=metrics.until,
            jobs=JobMetricsOut.model_validate(metrics),
            rate_limit=RateLimitOut(hits=metrics.limit_hits),
        )


class ExecutionsOut(Told):
    """Runs that ended in the span. `success_rate`: percent of those that succeeded or failed. Half
    of those that succeeded took at most `p50_s` seconds, 95 % at most `p95_s`, to
    three digits."""

    runs: int
    succeeded: int
    failed: int
    cancelled: int
    success_rate: float | None
    p50_s: float | None
    p95_s: float | None


class ExecutionGroupOut(ExecutionsOut):
    """The runs of one handler, machine or machine type."""

    name: str

    @classmethod
    def of(cls, executions: Executions) -> Self:
        return cls.model_validate(executions)


class ExecutionStatsOut(Told):
    """All runs that ended in the span, and the same by group."""

    since: TimeOut
    until: TimeOut
    group_by: ExecutionGroup
    all: ExecutionsOut
    groups: list[ExecutionGroupOut]

    @classmethod
    def of(cls, stats: ExecutionStats, group: ExecutionGroup) -> Self:
        return cls(
            since=stats.since,
            until=stats.until,
            group_by=group,
            all=ExecutionsOut.model_validate(stats.all),
            groups=[ExecutionGroupOut.of(one) for one in stats.groups],
        )


async def _metrics(call: Call) -> Reply:
    found = await call.door.ask(MetricsNow(call.query.since, call.query.until))
    return Reply(MetricsOut.of(found))


async def _executions(call: Call) -> Reply:
    query: ExecutionsIn = call.query
    found = await call.door.ask(ExecutionsBy(query.group_by, query.since, query.until))
    return Reply(ExecutionStatsOut.of(found, query.group_by))


ROUTES: Sequence[Route] = (
    Route(
        "GET",
        "/metrics",
        "Count jobs and outcomes",
        MetricsNow,
        _metrics,
        {200: MetricsOut},
        query=MetricsIn,
    ),
    Route(
        "GET",
        "/metrics/executions",
        "Show how runs ended and how long they took",
        ExecutionsBy,
        _executions,
        {200: ExecutionStatsOut},
        query=ExecutionsIn,
    ),
)
