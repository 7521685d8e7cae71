"""Statistics of the runs that ended in a span of time, by the index of their ends.

They read at most `MOST_RUNS` runs, the newest of the span, and tell since when these ended: a fleet
may end more in an hour.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, FromClause, case, func, select

from cnc_station.engine.domain.states import FAILED_RUNS, UNDECIDED_JOBS, RunState
from cnc_station.engine.domain.webhooks import JobStatus, status_of
from cnc_station.engine.store.queries.state_counts import state_counts
from cnc_station.engine.store.schema import job, machine, run
from cnc_station.engine.views.metrics import (
    ExecutionGroup,
    Executions,
    ExecutionStats,
    JobMetrics,
)

MOST_RUNS = 100_000
_WITH_JOB = run.join(job, job.c.id == run.c.job_id)
_AT_MACHINE = case((run.c.machine_id.is_not(None), job.c.machine_type))
# The name of each run's group, NULL if it has none, and from where it is read.
_GROUPS: Mapping[ExecutionGroup, tuple[ColumnElement[str], FromClause]] = {
    ExecutionGroup.HANDLER: (job.c.handler, _WITH_JOB),
    ExecutionGroup.TYPE: (_AT_MACHINE, _WITH_JOB),
    ExecutionGroup.MACHINE: (
        machine.c.name,
        run.join(machine, machine.c.id == run.c.machine_id, isouter=True),
    ),
}
_took = run.c.ended_at - run.c.started_at
# To three digits: a few thousand different times, however many runs there are. Ranked one by one,
# two million runs take SQLite 100 s.
_ROUNDED = case(
    *((_took < 1_000 * step, _took // step * step) for step in (1, 10, 100, 1_000, 10_000)),
    else_=_took // 100_000 * 100_000,
)


@dataclass(slots=True)
class _Tally:
    """Runs by outcome, and those that succeeded by the ms they took."""

    outcomes: Counter[str] = field(default_factory=Counter)
    times: Counter[int] = field(default_factory=Counter)

    def add(self, state: str, took: int | None, count: int) -> None:
        self.outcomes[state] += count
        if state == RunState.SUCCEEDED and took is not None:
            self.times[max(0, took)] += count

    def percentile_s(self, share: int) -> float | None:
        """The time within which `share` percent of the runs that succeeded have ended."""
        wanted = -(-self.times.total() * share // 100)
        for took in sorted(self.times):
            wanted -= self.times[took]
            if wanted <= 0:
                return took / 1000
        return None

    def executions(self, name: str) -> Executions:
        succeeded = self.outcomes[RunState.SUCCEEDED]
        failed = sum(self.outcomes[state] for state in FAILED_RUNS)
        return Executions(
            name=name,
            runs=self.outcomes.total(),
            succeeded=succeeded,
            failed=failed,
            cancelled=self.outcomes[RunState.CANCELLED],
            success_rate=_rate(succeeded, succeeded + failed),
            p50_s=self.percentile_s(50),
            p95_s=self.percentile_s(95),
        )


def executions(
    connection: Connection, since: int, until: int, group: ExecutionGroup
) -> ExecutionStats:
    """The statistics of all runs and of each group, by name; times to three digits."""
    since = _counted_since(connection, since, until)
    name, source = _GROUPS[group]
    labelled = name.label("group_name"), run.c.state, _ROUNDED.label("rounded")
    query = (
        select(*labelled, func.count())
        .select_from(source)
        .where(_ended(since, until))
        .group_by("group_name", run.c.state, "rounded")
    )
    whole, groups = _Tally(), defaultdict[str, _Tally](_Tally)
    for one, state, took, count in connection.execute(query):
        whole.add(state, took, count)
        if one is not None:
            groups[one].add(state, took, count)
    found = tuple(groups[one].executions(one) for one in sorted(groups))
    return ExecutionStats(since, until, whole.executions(""), found)


def job_metrics(connection: Connection, since: int, until: int, limit_hits: int) -> JobMetrics:
    """The jobs by status, and what became of the runs that ended in this span."""
    since = _counted_since(connection, since, until)
    statuses: Counter[JobStatus] = Counter()
    undecided = 0
    for state, count in state_counts(connection, until).items():
        statuses[status_of(state)] += count
        undecided += count if state in UNDECIDED_JOBS else 0
    ended = (
        select(run.c.state, func.count(), func.sum(case((run.c.attempt > 1, 1), else_=0)))
        .where(_ended(since, until))
        .group_by(run.c.state)
    )
    tally, retries = _Tally(), 0
    for state, count, again in connection.execute(ended):
        tally.add(state, None, count)
        retries += again
    runs = tally.executions("")
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


def _counted_since(connection: Connection, since: int, until: int) -> int:
    """Return since when the newest `MOST_RUNS` of the span ended."""
    newest = select(run.c.ended_at).where(_ended(since, until)).order_by(run.c.ended_at.desc())
    last_left_out = connection.execute(newest.offset(MOST_RUNS).limit(1)).scalar()
    return since if last_left_out is None else last_left_out + 1


def _ended(since: int, until: int) -> ColumnElement[bool]:
    return (run.c.ended_at >= since) & (run.c.ended_at < until)


def _rate(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None
