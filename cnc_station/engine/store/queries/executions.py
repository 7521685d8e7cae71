"""Statistics of the runs that ended in a span of time, by the index of their ends."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    case,
    func,
    literal,
    select,
    true,
)

from cnc_station.engine.domain.states import FAILED_RUNS, UNDECIDED_JOBS, JobState, RunState
from cnc_station.engine.domain.webhooks import JobStatus, status_of
from cnc_station.engine.store.schema import counted, job, machine, run
from cnc_station.engine.views.metrics import (
    ExecutionGroup,
    Executions,
    ExecutionStats,
    JobMetrics,
)

_SHARES = (50, 95)  # percent
_WITH_JOB = run.join(job, job.c.id == run.c.job_id)
# The name of the group, from where it is read, and which runs have one.
_GROUPS: Mapping[ExecutionGroup, tuple[ColumnElement[str], FromClause, ColumnElement[bool]]] = {
    ExecutionGroup.HANDLER: (job.c.handler, _WITH_JOB, true()),
    ExecutionGroup.TYPE: (job.c.machine_type, _WITH_JOB, run.c.machine_id.is_not(None)),
    ExecutionGroup.MACHINE: (
        machine.c.name,
        run.join(machine, machine.c.id == run.c.machine_id),
        true(),
    ),
}
_ALL: tuple[ColumnElement[str], FromClause, ColumnElement[bool]] = (literal(""), run, true())


def executions(
    connection: Connection, since: int, until: int, group: ExecutionGroup
) -> ExecutionStats:
    """The statistics of all runs and of each group, by name."""
    whole = _executions(connection, since, until, *_ALL)
    groups = _executions(connection, since, until, *_GROUPS[group])
    nothing = _of("", Counter(), {})
    return ExecutionStats(since, until, next(iter(whole), nothing), groups)


def job_metrics(connection: Connection, since: int, until: int, limit_hits: int) -> JobMetrics:
    """The jobs by status, and what became of the runs that ended in this span."""
    statuses: Counter[JobStatus] = Counter()
    undecided = 0
    states = select(job.c.state, func.count()).where(counted).group_by(job.c.state)
    for state, count in connection.execute(states):
        statuses[status_of(JobState(state))] += count
        undecided += count if state in UNDECIDED_JOBS else 0
    outcomes: Counter[str] = Counter()
    retries = 0
    ended = (
        select(run.c.state, func.count(), func.sum(case((run.c.attempt > 1, 1), else_=0)))
        .where(_ended(since, until))
        .group_by(run.c.state)
    )
    for state, count, again in connection.execute(ended):
        outcomes[state] += count
        retries += again
    runs = _of("", outcomes, {})
    return JobMetrics(
        since=since,
        until=until,
        total=statuses.total(),
        pending=statuses[JobStatus.PENDING],
        running=statuses[JobStatus.RUNNING],
        completed=runs.succeeded,
        failed=runs.failed,
        retries=retries,
        dlq=undecided,
        success_rate=runs.success_rate,
        failure_rate=_rate(runs.failed, runs.succeeded + runs.failed),
        limit_hits=limit_hits,
    )


def _ended(since: int, until: int) -> ColumnElement[bool]:
    return (run.c.ended_at >= since) & (run.c.ended_at < until)


def _executions(
    connection: Connection,
    since: int,
    until: int,
    name: ColumnElement[str],
    source: FromClause,
    known: ColumnElement[bool],
) -> tuple[Executions, ...]:
    chosen = _ended(since, until) & known
    outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    counts = (
        select(name.label("name"), run.c.state, func.count())
        .select_from(source)
        .where(chosen)
        .group_by(name, run.c.state)
    )
    for one, state, count in connection.execute(counts):
        outcomes[one][state] += count
    times: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for one, share, ms in _percentiles(connection, name, source, chosen):
        times[one][share] = ms / 1000
    return tuple(_of(one, outcomes[one], times[one]) for one in sorted(outcomes))


def _percentiles(
    connection: Connection,
    name: ColumnElement[str],
    source: FromClause,
    chosen: ColumnElement[bool],
) -> list[tuple[str, int, int]]:
    """The times (ms) below which these shares of the runs that succeeded have ended. By their rank:
    SQLite has no function for it."""
    took = run.c.ended_at - run.c.started_at
    ranked = (
        select(
            name.label("name"),
            took.label("took"),
            func.row_number().over(partition_by=name, order_by=took).label("place"),
            func.count().over(partition_by=name).label("runs"),
        )
        .select_from(source)
        .where(chosen, run.c.state == RunState.SUCCEEDED.value, run.c.started_at.is_not(None))
        .cte("ranked")
    )
    wanted = [(ranked.c.runs * literal(share, BigInteger) + 99) // 100 for share in _SHARES]
    query = select(ranked.c.name, ranked.c.took, *(ranked.c.place == rank for rank in wanted))
    rows = connection.execute(query.where(ranked.c.place.in_(wanted)))
    return [
        (one, share, ms)
        for one, ms, *is_at in rows
        for share, here in zip(_SHARES, is_at, strict=True)
        if here
    ]


def _of(name: str, outcomes: Counter[str], times: Mapping[int, float]) -> Executions:
    succeeded = outcomes[RunState.SUCCEEDED]
    failed = sum(outcomes[state] for state in FAILED_RUNS)
    return Executions(
        name=name,
        runs=outcomes.total(),
        succeeded=succeeded,
        failed=failed,
        cancelled=outcomes[RunState.CANCELLED],
        success_rate=_rate(succeeded, succeeded + failed),
        p50_s=times.get(50),
        p95_s=times.get(95),
    )


def _rate(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None
