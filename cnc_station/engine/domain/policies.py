"""The order of the queue, and when a failed job is retried. The rank of a job is one number that
does not change with time, because the priority of all waiting jobs grows at the same rate. Only
jobs queued within a bounded time overtake a job of low priority."""

from dataclasses import dataclass

TWO_YEARS = 730  # days
RUN_NOW = -1e15  # before every rank that a time can give, and still exact to the millisecond


@dataclass(frozen=True, slots=True)
class RankPolicy:
    """The waiting time that one point of priority and a due date are worth."""

    point_s: float = 600.0
    due_pull_s: float = 4 * 3600.0

    def rank(self, queued_at: int, priority: int, due_at: int | None) -> float:
        """Return the rank in ms; lower is sooner. It is the time queued, less the worth of the
        priority, less up to `due_pull_s` as the due date is nearer (at the time of queueing)."""
        pull = 0.0
        if due_at is not None:
            slack_s = max(0.0, (due_at - queued_at) / 1000)
            pull = self.due_pull_s * self.due_pull_s / (self.due_pull_s + slack_s)
        return queued_at - priority * self.point_s * 1000 - pull * 1000


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days finished jobs, deliveries, runs, the due times of schedules, ended alerts,
    events of no job and unused programs are kept; 0: for ever. A job is deleted with its runs, its
    events and its deliveries; the figures of its runs are kept for ever."""

    jobs_days: int = TWO_YEARS
    deliveries_days: int = TWO_YEARS
    runs_days: int = TWO_YEARS
    firings_days: int = TWO_YEARS
    alerts_days: int = TWO_YEARS
    events_days: int = TWO_YEARS
    programs_days: int = TWO_YEARS


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff: min(initial · 2^failures, maximum) seconds, plus up to `jitter` of it.
    The jitter prevents jobs that failed together from retrying together."""

    initial_s: float = 10.0
    maximum_s: float = 300.0
    jitter: float = 0.1
    machining_limit: int = 2
    automation_limit: int = 3

    def limit(self, own: int | None, *, automation: bool) -> int:
        """Return the maximum retries of a job: its own limit, or the default of its kind."""
        if own is not None:
            return own
        return self.automation_limit if automation else self.machining_limit

    def backoff_s(self, failures: int, chance: float) -> float:
        """Return the wait in s after the `failures`-th failure (from 1); `chance` is in [0, 1)."""
        doubled = self.initial_s * 2.0 ** min(failures - 1, 60)
        base = min(doubled, self.maximum_s)
        return base * (1.0 + self.jitter * chance)
